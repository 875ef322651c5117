// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// server is an API server that knows who somebody is, and says to everything
// else what the test says.
func server(t *testing.T, username string, rest http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/selfsubjectreviews") {
			rest(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview","status":{"userInfo":{"username":%q,"groups":["ascend-approvers"]}}}`, username)
	}))
	t.Cleanup(s.Close)
	return s
}

// forbids is an answer to a verb that the user does not hold.
func forbids(verb string) http.HandlerFunc {
	return answer(http.StatusForbidden, "application/json", status(http.StatusForbidden, "Forbidden",
		fmt.Sprintf(`agentactions.governance.ascendowkai.com is forbidden: User "bob" cannot %s resource`, verb)))
}

// readOnly serves the pending action, and answers to a patch.
func readOnly(t *testing.T, patch http.HandlerFunc) http.HandlerFunc {
	action := sealed(pending())
	action.APIVersion, action.Kind, action.ResourceVersion = v1alpha1.GroupVersion.String(), "AgentAction", "42"
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			patch(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(action); err != nil {
			t.Error(err)
		}
	}
}

// cutOff begins an answer and ends in the middle of it.
func cutOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "1000")
	fmt.Fprint(w, `{"apiVersion":"governance.`)
}

// What fails is told with what to do about it.
func TestApproverErrors(t *testing.T) {
	noKinds := answer(http.StatusNotFound, "text/plain", "404 page not found\n")
	for name, tc := range map[string]struct {
		username string
		rest     http.HandlerFunc
		argv     []string
	}{
		"inbox-no-list":     {"bob", forbids("list"), []string{"ascend", "inbox"}},
		"inbox-no-list-all": {"bob", forbids("list"), []string{"ascend", "inbox", "-A"}},
		"inbox-account":     {"system:serviceaccount:ops:bot", forbids("list"), []string{"ascend", "inbox", "-n", "shop"}},
		"inbox-no-kinds":    {"bob", noKinds, []string{"ascend", "inbox"}},
		"inbox-cut":         {"bob", cutOff, []string{"ascend", "inbox"}},
		"inbox-watch":       {"bob", forbids("list"), []string{"ascend", "inbox", "-w"}},
		"review-no-get":     {"bob", forbids("get"), []string{"ascend", "review", "act-ghi789"}},
		"review-cut":        {"bob", cutOff, []string{"ascend", "review", "act-ghi789"}},
		"approve-no-get":    {"bob", forbids("get"), []string{"kubectl-approve", "act-ghi789"}},
		"approve-no-patch":  {"bob", readOnly(t, forbids("patch")), []string{"kubectl-approve", "act-ghi789"}},
		"approve-cut":       {"bob", readOnly(t, cutOff), []string{"kubectl-approve", "act-ghi789"}},
		"approve-no-list":   {"bob", forbids("list"), []string{"kubectl-approve", "--all"}},
		"approve-no-kinds":  {"bob", noKinds, []string{"kubectl-approve", "--all"}},
		"deny-no-kinds":     {"bob", noKinds, []string{"kubectl-deny", "act-ghi789", "--reason", "no"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := play(t, server(t, tc.username, tc.rest).URL, nil, tc.argv...)
			checkGolden(t, r.transcript(tc.argv))
		})
	}
}
