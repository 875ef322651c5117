// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
)

var milliseconds = regexp.MustCompile(`\b[0-9.]+m?s\b`)

// caller notes who asked for what.
type caller struct{ key, path, as string }

func (c *caller) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.key, c.path, c.as = r.Header.Get("Authorization"), r.URL.Path, r.Header.Get("Impersonate-User")
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"apiVersion": "governance.ascendowkai.com/v1alpha1", "kind": "AgentActionList", "items": []any{}}) //nolint:errcheck // the test sees it
}

// The cluster is chosen by flags, then by ASCEND_*, then by the kubeconfig.
// client-go sends the token of a kubeconfig only where it is encrypted, which a
// server of a test is not.
func TestEnvironment(t *testing.T) {
	for name, tc := range map[string]struct {
		variables map[string]string
		flags     []string
		want      string
	}{
		"kubeconfig":       {want: "kubeconfig:  in default"},
		"environment":      {variables: map[string]string{session.EnvKey: "k", session.EnvURL: "URL"}, want: "environment: Bearer k in default"},
		"namespace":        {variables: map[string]string{session.EnvKey: "k", session.EnvURL: "URL", session.EnvNamespace: "shop"}, want: "environment: Bearer k in shop"},
		"namespace flag":   {variables: map[string]string{session.EnvKey: "k", session.EnvURL: "URL", session.EnvNamespace: "shop"}, flags: []string{"-n", "pay"}, want: "environment: Bearer k in pay"},
		"namespace alone":  {variables: map[string]string{session.EnvNamespace: "shop"}, want: "kubeconfig:  in default"},
		"context":          {variables: map[string]string{session.EnvKey: "k", session.EnvURL: "URL"}, flags: []string{"--context", "test"}, want: "kubeconfig:  in default"},
		"impersonation":    {variables: map[string]string{session.EnvKey: "k", session.EnvURL: "URL"}, flags: []string{"--as", "alice"}, want: "kubeconfig:  in default as alice"},
		"token of a flag":  {variables: map[string]string{session.EnvKey: "k", session.EnvURL: "URL"}, flags: []string{"--token", "t"}, want: "kubeconfig:  in default"},
		"timeout of flags": {variables: map[string]string{session.EnvKey: "k", session.EnvURL: "URL"}, flags: []string{"--request-timeout", "5s"}, want: "environment: Bearer k in default"},
	} {
		t.Run(name, func(t *testing.T) {
			fromEnvironment, fromKubeconfig := &caller{}, &caller{}
			one, other := httptest.NewServer(fromEnvironment), httptest.NewServer(fromKubeconfig)
			defer one.Close()
			defer other.Close()
			for variable, value := range tc.variables {
				t.Setenv(variable, strings.Replace(value, "URL", one.URL, 1))
			}
			r := play(t, other.URL, nil, append([]string{"ascend", "actions", "list"}, tc.flags...)...)
			if r.code != session.ExitOK {
				t.Fatalf("got %+v", r)
			}
			got, c := "environment", fromEnvironment
			if c.path == "" {
				got, c = "kubeconfig", fromKubeconfig
			}
			got += ": " + c.key + " in " + strings.Split(c.path, "/")[5]
			if c.as != "" {
				got += " as " + c.as
			}
			if got != tc.want {
				t.Errorf("asked %s, want %s", got, tc.want)
			}
		})
	}
}

// Half an environment goes nowhere, and what goes wrong is told of it.
func TestEnvironmentErrors(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(garbage, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		variables map[string]string
		answer    http.HandlerFunc
	}{
		"no-url":       {variables: map[string]string{session.EnvKey: "key-secret"}},
		"unencrypted":  {variables: map[string]string{session.EnvKey: "key-secret", session.EnvURL: "http://cluster.example.com"}},
		"no-address":   {variables: map[string]string{session.EnvKey: "key-secret", session.EnvURL: "cluster.example.com:6443"}},
		"password":     {variables: map[string]string{session.EnvKey: "key-secret", session.EnvURL: "https://a:pass-secret@cluster.example.com"}},
		"no-key":       {variables: map[string]string{session.EnvURL: "URL"}},
		"no-authority": {variables: map[string]string{session.EnvKey: "key-secret", session.EnvURL: "URL", session.EnvCAFile: "no/such/file"}},
		"expired":      {variables: map[string]string{session.EnvKey: "key-secret", session.EnvURL: "URL"}, answer: answer(http.StatusUnauthorized, "application/json", status(http.StatusUnauthorized, "Unauthorized", "Unauthorized"))},
		"forbidden":    {variables: map[string]string{session.EnvKey: "key-secret", session.EnvURL: "URL"}, answer: answer(http.StatusForbidden, "application/json", status(http.StatusForbidden, "Forbidden", "User cannot list"))},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.answer == nil {
				tc.answer = http.NotFound
			}
			server := httptest.NewServer(tc.answer)
			defer server.Close()
			for variable, value := range tc.variables {
				t.Setenv(variable, strings.Replace(value, "URL", server.URL, 1))
			}
			argv := []string{"ascend", "actions", "list"}
			r := play(t, testServer, nil, argv...)
			r.errOut = strings.ReplaceAll(r.errOut, server.URL, testServer)
			if strings.Contains(r.errOut, "secret") {
				t.Error("the key is printed")
			}
			checkGolden(t, r.transcript(argv))
		})
	}
}
