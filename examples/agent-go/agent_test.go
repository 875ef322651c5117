// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/client/clienttest"
)

const want = `database_read: Read list of public product categories
  SELECT id, name FROM product_categories
  done
database_write: Update customer billing address
  UPDATE customers SET billing_address = … WHERE id = 'cust_789'
  done
database_delete: Delete inactive user accounts
  not done: Denied: Bulk delete operations require manager approval
`

func TestAgent(t *testing.T) {
	server := clienttest.New(t)
	go approveOne(t, server)
	var out strings.Builder
	if failed := work(t.Context(), server.Client(t), tasks(), time.Minute, &out); failed != 0 || out.String() != want {
		t.Errorf("%d failed:\n%s", failed, &out)
	}
}

func approveOne(t *testing.T, server *clienttest.Server) {
	if err := server.Approve(server.AwaitPending(t), "alice", "ascend-approvers"); err != nil {
		t.Error(err)
	}
}

// Nobody has time for it: nothing is done, and that is no failure.
func TestAgentWithoutPeople(t *testing.T) {
	server := clienttest.New(t)
	var out strings.Builder
	if failed := work(t.Context(), server.Client(t), tasks()[1:2], 3*time.Second, &out); failed != 0 || !strings.Contains(out.String(), "not done: Pending") {
		t.Errorf("%d failed:\n%s", failed, &out)
	}
}

// The program runs with the environment alone, as beside `make dev`.
func TestProgram(t *testing.T) {
	program := filepath.Join(t.TempDir(), "agent-go")
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	server := clienttest.New(t)
	go approveOne(t, server)
	config := server.Options().Config
	authority := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(authority, config.CAData, 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), program, "-wait", "1m")
	run.Env = []string{
		"ASCEND_API_URL=" + config.Host, "ASCEND_API_KEY=" + config.BearerToken, "ASCEND_CA_FILE=" + authority,
		"ASCEND_NAMESPACE=" + clienttest.DefaultNamespace, "ASCEND_AGENT_ID=" + clienttest.DefaultAgent,
	}
	said, err := run.CombinedOutput()
	if err != nil || string(said) != want {
		t.Errorf("%v\n%s", err, said)
	}
}

// The manifests fit together: the account may ask, and in the agent's name.
func TestManifests(t *testing.T) {
	text, err := os.ReadFile("manifests/agent.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "\n---\n")
	if len(parts) != 4 {
		t.Fatalf("there are %d objects", len(parts))
	}
	var (
		account corev1.ServiceAccount
		agent   v1alpha1.Agent
		binding rbacv1.RoleBinding
		pod     struct {
			Spec struct{ Template corev1.PodTemplateSpec }
		}
	)
	for i, into := range []any{&account, &agent, &binding, &pod} {
		if err := yaml.Unmarshal([]byte(parts[i]), into); err != nil {
			t.Fatalf("object %d: %v", i, err)
		}
	}
	if subject := agent.Spec.Subjects[0]; subject.Kind != v1alpha1.SubjectServiceAccount || string(subject.Name) != account.Name {
		t.Errorf("the agent's subject is %+v", subject)
	}
	if binding.RoleRef.Kind != "ClusterRole" || binding.RoleRef.Name != "ascend-agent-submitter" ||
		binding.Subjects[0].Name != account.Name || binding.Subjects[0].Namespace != account.Namespace {
		t.Errorf("the binding is %+v", binding)
	}
	spec := pod.Spec.Template.Spec
	if spec.ServiceAccountName != account.Name || len(spec.Containers) != 1 || spec.Containers[0].Env[0].Value != agent.Name {
		t.Errorf("the pod is %+v", spec)
	}
}
