// SPDX-License-Identifier: Apache-2.0

package agents

import (
	"fmt"
	"testing"
)

// What is granted is what is missing, and nothing else: a Role gives each of its
// verbs on each of its resources.
func TestRoles(t *testing.T) {
	for name, tc := range map[string]struct {
		missing []right
		want    string
	}{
		"one":            {[]right{{verb: "patch", resource: "agents.g"}}, "[{ascend-patch-agents --verb=patch --resource=agents.g}]"},
		"the same verbs": {[]right{{verb: "get", resource: "b"}, {verb: "create", resource: "b"}, {verb: "get", resource: "a"}, {verb: "create", resource: "a"}}, "[{ascend-create-get-a --verb=create,get --resource=a,b}]"},
		"other verbs":    {[]right{{verb: "get", resource: "b"}, {verb: "create", resource: "a"}}, "[{ascend-create-a --verb=create --resource=a} {ascend-get-b --verb=get --resource=b}]"},
		"one object":     {[]right{{"bind", "clusterroles.r", "x"}}, "[{ascend-bind-x --verb=bind --resource=clusterroles.r --resource-name=x}]"},
		"a subresource":  {[]right{{verb: "create", resource: "serviceaccounts/token"}}, "[{ascend-create-serviceaccounts-token --verb=create --resource=serviceaccounts/token}]"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fmt.Sprint(roles(tc.missing)); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
