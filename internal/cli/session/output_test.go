// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// output is the flag -o of a command that was called with these flags.
func output(t *testing.T, flags ...string) (*Output, error) {
	t.Helper()
	o, cmd := &Output{Wide: true}, &cobra.Command{Use: "test"}
	o.AddFlags(cmd)
	if err := cmd.ParseFlags(flags); err != nil {
		t.Fatal(err)
	}
	err := o.Check(cmd)
	return o, err
}

func TestOutput(t *testing.T) {
	agent := v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Name: "a", ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "m"}}}}
	list := &v1alpha1.AgentList{Items: []v1alpha1.Agent{agent, agent}}
	for _, tc := range []struct{ flags, want string }{
		{"-o name", "agent.governance.ascendowkai.com/a\nagent.governance.ascendowkai.com/a\n"},
		{"-o jsonpath={.kind},{.items[1].kind},{.items[0].metadata.managedFields}", "AgentList,Agent,"},
		{"-o jsonpath={.missing}", ""},
		{"-o go-template={{.items|len}}", "2"},
		{"--template={{.kind}}", "AgentList"},
		{"-o jsonpath-as-json={.kind}", "[\n    \"AgentList\"\n]\n"},
	} {
		o, err := output(t, strings.Fields(tc.flags)...)
		var b strings.Builder
		if err == nil {
			err = o.Print(&b, list)
		}
		if err != nil || b.String() != tc.want {
			t.Errorf("%s prints %q, %v; want %q", tc.flags, b.String(), err, tc.want)
		}
	}
	if list.Items[0].Kind != "" || list.Items[0].ManagedFields == nil {
		t.Error("what was printed was changed")
	}
}

func TestOutputManagedFields(t *testing.T) {
	agent := &v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "m"}}}}
	for flags, want := range map[string]bool{"-o=yaml": false, "-o=yaml --show-managed-fields": true} {
		o, err := output(t, strings.Fields(flags)...)
		var b strings.Builder
		if err == nil {
			err = o.Print(&b, agent)
		}
		if got := strings.Contains(b.String(), "managedFields"); got != want || err != nil {
			t.Errorf("%s: managedFields %t, %v; want %t", flags, got, err, want)
		}
	}
}

func TestOutputRefuses(t *testing.T) {
	for _, flags := range []string{"-o=xml", "-o=jsonpath", "-o=jsonpath={", "-o=go-template={{", "-o=jsonpath-file=/no/such/file", "-o=custom-columns=A:.a"} {
		_, err := output(t, flags)
		if _, is := errors.AsType[*UsageError](err); !is {
			t.Errorf("%s is answered by %v, want a wrong usage", flags, err)
		}
	}
}
