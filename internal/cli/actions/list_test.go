// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

var testNow = time.Date(2025, 12, 19, 14, 2, 30, 0, time.UTC)

func TestNewestActions(t *testing.T) {
	at := func(i int) v1alpha1.AgentAction {
		return v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("act-%d", i), CreationTimestamp: metav1.NewTime(testNow.Add(time.Duration(i) * time.Second))}}
	}
	n := &newest[v1alpha1.AgentAction]{limit: 3, byAge: byAge}
	n.add(at(5), at(1))
	n.add(at(4), at(2), at(0))
	n.add(at(3))
	var got []string
	for _, action := range n.sorted() {
		got = append(got, action.Name)
	}
	if fmt.Sprint(got) != "[act-3 act-4 act-5]" || n.dropped != 3 {
		t.Errorf("kept %v and dropped %d, want the newest three, oldest first, and 3 dropped", got, n.dropped)
	}
}

// Two actions of one second are ordered by what the operator measured.
func TestByAge(t *testing.T) {
	first, second := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Name: "b"}}, &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Name: "a"}}
	first.Status.SubmittedAt = &metav1.MicroTime{Time: testNow.Add(10 * time.Microsecond)}
	second.Status.SubmittedAt = &metav1.MicroTime{Time: testNow.Add(20 * time.Microsecond)}
	if byAge(*first, *second) >= 0 {
		t.Error("the action that was submitted first comes second")
	}

	// The operator has it from the API server, which stores whole seconds.
	second.Status.SubmittedAt = first.Status.SubmittedAt
	for i, action := range []*v1alpha1.AgentAction{first, second} {
		action.Spec.Requester = &v1alpha1.Requester{AdmittedAt: &metav1.MicroTime{Time: testNow.Add(time.Duration(i) * time.Microsecond)}}
	}
	if byAge(*first, *second) >= 0 || rowByAge(rowOf(first), rowOf(second)) >= 0 {
		t.Error("the action that was admitted first comes second")
	}
}

func TestName(t *testing.T) {
	for arg, want := range map[string]string{
		"act-1":             "act-1",
		"agentaction/act-1": "act-1",
		"aact/act-1":        "act-1",
		"agentaction.governance.ascendowkai.com/act-1": "act-1",
		"agent/act-1": "agent/act-1",
	} {
		if got := Name(arg); got != want {
			t.Errorf("%s is taken for %s, want %s", arg, got, want)
		}
	}
}
