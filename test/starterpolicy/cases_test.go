// SPDX-License-Identifier: Apache-2.0

package starterpolicy_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/policy"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// testCase is one case of config/starter-policy/tests; README.md there says
// what the fields mean.
type testCase struct {
	Name    string        `json:"name"`
	Agent   string        `json:"agent"`
	At      []metav1.Time `json:"at"`
	AnyTime bool          `json:"anyTime"`
	Action  object        `json:"action"`
	Expect  expectation   `json:"expect"`
	Strict  *expectation  `json:"strict"`
}

// expectation is what has to come out. What is left out may be anything.
type expectation struct {
	Decision v1alpha1.Decision  `json:"decision"`
	Score    v1alpha1.Score     `json:"score"`
	Level    v1alpha1.RiskLevel `json:"level"`
	Vector   string             `json:"vector"`
	Base     v1alpha1.Score     `json:"base"`
	Rule     string             `json:"rule"`
	Message  string             `json:"message"`
	Stages   int32              `json:"stages"`
	Matched  []string           `json:"matched"`
	Not      []string           `json:"not"`
}

// wednesday is a day with people at work, and the time of cases that give none.
var wednesday = time.Date(2026, time.March, 4, 10, 0, 0, 0, time.UTC)

const (
	agentNamespace = "default"
	agentAccount   = "system:serviceaccount:default:agent"
)

// readCases reads every case, strictly.
func readCases(t *testing.T) []testCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(normalDir, "tests", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no test cases in %s/tests: %v", normalDir, err)
	}
	var all []testCase
	for _, file := range files {
		for _, document := range decode[object](t, file) {
			page := convert[struct {
				Cases []testCase `json:"cases"`
			}](t, document)
			all = append(all, page.Cases...)
		}
	}
	return all
}

// times at which the case has to hold.
func (c *testCase) times() []time.Time {
	if c.AnyTime {
		hours := make([]time.Time, 7*24)
		for i := range hours {
			hours[i] = wednesday.Add(time.Duration(i)*time.Hour + 30*time.Minute)
		}
		return hours
	}
	if len(c.At) == 0 {
		return []time.Time{wednesday}
	}
	times := make([]time.Time, len(c.At))
	for i, at := range c.At {
		times[i] = at.UTC()
	}
	return times
}

// decide makes the decision of a case under a policy at a time.
func (c *testCase) decide(t *testing.T, snapshot *decision.Snapshot, at time.Time) *decision.Outcome {
	t.Helper()
	agent := c.Agent
	if agent == "" {
		agent = "sandbox"
	}
	spec := object{"agentRef": object{"name": agent}}
	merge(spec, c.Action)
	action := convert[v1alpha1.AgentAction](t, object{
		"kind":     "AgentAction",
		"metadata": object{"namespace": agentNamespace, "name": "case", "creationTimestamp": at.Format(time.RFC3339)},
		"spec":     spec,
	})
	req, err := request.Read(action, v1alpha1.Requester{Username: agentAccount}, nil)
	if err != nil {
		t.Fatalf("read the action: %v", err)
	}
	outcome, err := decision.Decide(context.Background(), snapshot, req, nil, at)
	if err != nil {
		t.Fatalf("decide: %v", err)
	}
	return outcome
}

// newStore compiles a policy, with an agent for every environment, named after it.
func newStore(t *testing.T, all set) *policy.Store {
	t.Helper()
	store, err := policy.NewStore()
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range all.rules {
		store.SetRule(rule)
	}
	for _, workflow := range all.workflows {
		store.SetWorkflow(workflow)
	}
	for _, model := range all.models {
		store.SetModel(model)
	}
	for _, environment := range []v1alpha1.Environment{
		v1alpha1.EnvironmentProduction, v1alpha1.EnvironmentStaging, v1alpha1.EnvironmentDevelopment,
		v1alpha1.EnvironmentTest, v1alpha1.EnvironmentSandbox,
	} {
		store.SetAgent(&v1alpha1.Agent{
			ObjectMeta: metav1.ObjectMeta{Namespace: agentNamespace, Name: string(environment)},
			Spec: v1alpha1.AgentSpec{
				Environment: environment,
				State:       v1alpha1.AgentActive,
				Subjects:    []v1alpha1.Subject{{Kind: v1alpha1.SubjectServiceAccount, Name: "agent"}},
			},
		})
	}
	return store
}
