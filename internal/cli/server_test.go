// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

// answer is what a server says to any request.
func answer(code int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

func status(code int, reason, message string) string {
	data, err := json.Marshal(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message})
	if err != nil {
		panic(err)
	}
	return string(data)
}

// What the API server refuses is told in words that say what to do.
func TestServerErrors(t *testing.T) {
	const jsonType = "application/json"
	for name, handler := range map[string]http.HandlerFunc{
		"no-crds":      answer(http.StatusNotFound, "text/plain", "404 page not found\n"),
		"unauthorized": answer(http.StatusUnauthorized, jsonType, status(http.StatusUnauthorized, "Unauthorized", "Unauthorized")),
		"forbidden": answer(http.StatusForbidden, jsonType, status(http.StatusForbidden, "Forbidden",
			`agentactions.governance.ascendowkai.com is forbidden: User "bob" cannot list resource`+"\x1b[2K")),
		"broken": answer(http.StatusInternalServerError, jsonType, status(http.StatusInternalServerError, "InternalError", "etcd is away")),
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(handler)
			defer server.Close()
			argv := []string{"ascend", "actions", "list"}
			checkGolden(t, play(t, server.URL, nil, argv...).transcript(argv))
		})
	}
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	argv := []string{"ascend", "approve", "act-ghi789"}
	r := play(t, server.URL, nil, argv...)
	r.errOut = strings.ReplaceAll(r.errOut, address, "cluster.example.com:6443")
	checkGolden(t, r.transcript(argv))
}

func TestNoCluster(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "") // not in a cluster either
	t.Setenv("KUBERNETES_MASTER", "")
	for name, argv := range map[string][]string{
		"empty":           {"ascend", "actions", "list", "--kubeconfig", empty},
		"missing":         {"ascend", "explain", "act-1", "--kubeconfig", "no/such/file"},
		"missing-context": {"ascend", "actions", "list", "--context", "nope"},
	} {
		t.Run(name, func(t *testing.T) {
			r := play(t, testServer, nil, argv...)
			checkGolden(t, strings.ReplaceAll(r.transcript(argv), empty, "EMPTY"))
		})
	}
}

// actionList is a page of a list as the API server writes it.
func actionList(next string, names ...string) string {
	items := make([]string, len(names))
	for i, name := range names {
		items[i] = fmt.Sprintf(`{"apiVersion":"governance.ascendowkai.com/v1alpha1","kind":"AgentAction",
			"metadata":{"name":%q,"namespace":"default","creationTimestamp":"2025-12-19T14:0%d:00Z"},"spec":{"agentRef":{"name":"a"},"actionType":"t"}}`, name, i)
	}
	return fmt.Sprintf(`{"apiVersion":"governance.ascendowkai.com/v1alpha1","kind":"AgentActionList","metadata":{"continue":%q},"items":[%s]}`,
		next, strings.Join(items, ","))
}

// A list goes page by page, filtered by the server; when the pages expire it
// starts anew.
func TestPages(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		asked = append(asked, fmt.Sprintf("%s limit=%s continue=%s selector=%s", r.URL.Path, query.Get("limit"), query.Get("continue"), query.Get("fieldSelector")))
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Warning", `299 - "this version is old"`)
		switch {
		case query.Get("continue") == "two":
			w.WriteHeader(http.StatusGone)
			fmt.Fprint(w, status(http.StatusGone, "Expired", "too old"))
		case query.Get("limit") != "":
			fmt.Fprint(w, actionList("two", "act-gone"))
		default:
			fmt.Fprint(w, actionList("", "act-1", "act-2"))
		}
	}))
	defer server.Close()
	r := play(t, server.URL, nil, "ascend", "actions", "list", "--agent-id", "tutorial-agent", "-o", "name")
	const path = "/apis/governance.ascendowkai.com/v1alpha1/namespaces/default/agentactions"
	want := []string{
		path + " limit=500 continue= selector=spec.agentRef.name=tutorial-agent",
		path + " limit=500 continue=two selector=spec.agentRef.name=tutorial-agent",
		path + " limit= continue= selector=spec.agentRef.name=tutorial-agent",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("requests differ (-want +got):\n%s", diff)
	}
	const kind = "agentaction.governance.ascendowkai.com"
	if want := kind + "/act-1\n" + kind + "/act-2\n"; r.out != want || r.code != session.ExitOK {
		t.Errorf("got %+v", r)
	}
	if want := "warning: this version is old\n"; !strings.HasPrefix(r.errOut, want) {
		t.Errorf("stderr is %q, want %q first", r.errOut, want)
	}
}

// A verdict is a JSON patch under the resourceVersion that was read, given as
// the impersonated user.
func TestPatchOnTheWire(t *testing.T) {
	action := sealed(pending())
	action.ResourceVersion = "42"
	var body, contentType, query string
	users := map[string]bool{}
	answers := map[string]any{
		"/apis/governance.ascendowkai.com/v1alpha1/namespaces/default/agentactions/act-ghi789": action,
		"/apis/authentication.k8s.io/v1/selfsubjectreviews": map[string]any{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview",
			"status": map[string]any{"userInfo": map[string]any{"username": "alice", "groups": []string{"ascend-approvers"}}}},
	}
	action.APIVersion, action.Kind = "governance.ascendowkai.com/v1alpha1", "AgentAction"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		users[r.Header.Get("Impersonate-User")+" "+r.Header.Get("Impersonate-Group")] = true
		if r.Method == http.MethodPatch {
			data, _ := io.ReadAll(r.Body)
			body, contentType, query = string(data), r.Header.Get("Content-Type"), r.URL.RawQuery
		}
		w.Header().Set("Content-Type", "application/json")
		object, known := answers[r.URL.Path]
		if !known {
			w.WriteHeader(http.StatusForbidden)
			object = json.RawMessage(status(http.StatusForbidden, "Forbidden", "no"))
		}
		if err := json.NewEncoder(w).Encode(object); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	r := play(t, server.URL, nil, "kubectl-approve", "act-ghi789", "--as", "alice", "--as-group", "ascend-approvers", "--dry-run")
	if r.code != session.ExitOK {
		t.Fatalf("got %+v", r)
	}
	if want := map[string]bool{"alice ascend-approvers": true}; !cmp.Equal(want, users) {
		t.Errorf("requests came from %v, want %v", users, want)
	}
	want := `[{"op":"replace","path":"/metadata/resourceVersion","value":"42"},` +
		`{"op":"add","path":"/spec/approvals","value":[{"verdict":"Approve","stage":"approval",` +
		`"specDigest":"` + digestOf(action) + `","workflowRevision":"sha256:wwww"}]}]`
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("patch differs (-want +got):\n%s", diff)
	}
	if contentType != "application/json-patch+json" || query != "dryRun=All" {
		t.Errorf("content type %q, query %q", contentType, query)
	}
}

// No token is ever printed.
func TestNoSecrets(t *testing.T) {
	server := httptest.NewServer(answer(http.StatusUnauthorized, "application/json", status(http.StatusUnauthorized, "Unauthorized", "Unauthorized")))
	defer server.Close()
	r := play(t, server.URL, nil, "ascend", "actions", "list", "--token", "top-secret")
	if text := r.out + r.errOut; strings.Contains(text, "secret") {
		t.Errorf("a token is printed: %s", text)
	}
}
