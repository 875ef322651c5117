// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strings"
	"syscall"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/test/envtest"
)

// TestManager runs the real program against one real API server.
func TestManager(t *testing.T) {
	t.Parallel()
	config, stop := envtest.Start(t)
	t.Cleanup(stop)
	scheme, err := newScheme()
	if err != nil {
		t.Fatal(err)
	}
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	create(t, api, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.GlobalNamespace}})
	create(t, api, &v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "agent"},
		Spec: v1alpha1.AgentSpec{Environment: v1alpha1.EnvironmentSandbox}})
	create(t, api, &v1alpha1.ApprovalWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "auto"},
		Spec: v1alpha1.ApprovalWorkflowSpec{Selector: &v1alpha1.WorkflowSelector{}, AutoApprove: true}})

	// One after the other: two operators without leader election would both decide.
	t.Run("serves, decides and ends in order", func(t *testing.T) {
		p := startProcess(t, config)
		awaitStatus(t, "http://"+p.probes+"/healthz", "", 200)
		awaitStatus(t, "http://"+p.probes+"/readyz", "", 200)
		submit(t, api).awaitApproved()
		metrics := awaitStatus(t, "http://"+p.metrics+"/metrics", "", 200)
		for _, want := range []string{
			`ascend_decisions_total{decision="Approved",reason="AutoApproved"} 1`,
			`ascend_decision_seconds_count{decision="Approved"} 1`,
			`controller_runtime_reconcile_total{controller="agentaction",result="success"}`,
		} {
			if !strings.Contains(metrics, want) {
				t.Errorf("the metrics lack %s", want)
			}
		}
		p.signal(syscall.SIGTERM)
		if code := p.awaitEnd(); code != 0 {
			t.Errorf("exit code %d after SIGTERM", code)
		}
		if log, err := os.ReadFile(p.auditLog); err != nil || strings.Count(string(log), "\n") != 1 {
			t.Errorf("the audit log has %q (error %v)", log, err)
		}
	})

	t.Run("is not ready while records cannot be kept, and says why", func(t *testing.T) {
		const full = "/dev/full"
		if _, err := os.Stat(full); err != nil {
			t.Skip("needs Linux's /dev/full")
		}
		p := startProcess(t, config, "--audit-log="+full)
		awaitStatus(t, "http://"+p.probes+"/readyz", "", 200)
		action := submit(t, api)
		if body := awaitStatus(t, "http://"+p.probes+"/readyz/audit", "", 500); !strings.Contains(body, "no space left on device") {
			t.Errorf("readyz/audit says %q", body)
		}
		awaitStatus(t, "http://"+p.probes+"/readyz", "", 500)
		awaitStatus(t, "http://"+p.probes+"/healthz", "", 200)
		if got := action.read().Status.Decision; got != v1alpha1.DecisionNone {
			t.Errorf("decided %s without a record", got)
		}
		p.signal(syscall.SIGTERM)
		if code := p.awaitEnd(); code != 0 {
			t.Errorf("exit code %d after SIGTERM", code)
		}
	})

	t.Run("of two, one decides, and the other takes over", func(t *testing.T) {
		elected := []string{
			"--leader-elect", "--leader-election-lease-duration=6s",
			"--leader-election-renew-deadline=5s", "--leader-election-retry-period=500ms",
		}
		first := startProcess(t, config, elected...)
		awaitStatus(t, "http://"+first.probes+"/readyz", "", 200)
		submit(t, api).awaitApproved()
		leader := holder(t, api)
		second := startProcess(t, config, elected...)
		awaitStatus(t, "http://"+second.probes+"/readyz", "", 200) // warm, though it does not lead
		for range 10 {
			submit(t, api).awaitApproved()
		}
		if holder(t, api) != leader {
			t.Error("the lease has changed hands")
		}
		if log, err := os.ReadFile(second.auditLog); err != nil || len(log) > 0 {
			t.Errorf("the other has decided, too: %s (error %v)", log, err)
		}

		first.signal(syscall.SIGKILL)
		first.awaitEnd()
		submit(t, api).awaitApproved()
		if holder(t, api) == leader {
			t.Error("decided without the lease")
		}
		if log, err := os.ReadFile(second.auditLog); err != nil || len(log) == 0 {
			t.Errorf("a decision without its record (error %v)", err)
		}
		second.signal(syscall.SIGTERM)
		if code := second.awaitEnd(); code != 0 {
			t.Errorf("exit code %d after SIGTERM", code)
		}
		if got := holder(t, api); got != "" {
			t.Errorf("the lease is not given up: %s", got)
		}
	})

	t.Run("shows metrics to others only with a token that may", func(t *testing.T) {
		_, port, _ := strings.Cut(freeAddress(t), ":")
		p := startProcess(t, config, "--metrics-bind-address=0.0.0.0:"+port)
		url := "https://127.0.0.1:" + port + "/metrics"
		awaitStatus(t, "http://"+p.probes+"/readyz", "", 200)
		awaitStatus(t, url, "", 401)
		awaitStatus(t, url, "forged", 401)
		awaitStatus(t, url, token(t, api, "stranger"), 403)
		reader := token(t, api, "prometheus")
		create(t, api, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "metrics"},
			Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}, NonResourceURLs: []string{"/metrics"}}}})
		create(t, api, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "metrics"},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "metrics"},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: "prometheus"}}})
		if body := awaitStatus(t, url, reader, 200); !strings.Contains(body, "controller_runtime") {
			t.Errorf("metrics: %.200s", body)
		}
	})

	t.Run("says what is wrong when there is no cluster", func(t *testing.T) {
		p := startProcess(t, config, "--kubeconfig="+t.TempDir()+"/none")
		if code := p.awaitEnd(); code != exitFailure {
			t.Errorf("exit code %d", code)
		}
		if !strings.Contains(p.log.String(), "manager: no cluster to work on") {
			t.Errorf("log: %s", p.log)
		}
	})
}

func create(t *testing.T, api client.Client, object client.Object) {
	t.Helper()
	if err := api.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

// asked is an action that was submitted.
type asked struct {
	t      *testing.T
	api    client.Client
	action *v1alpha1.AgentAction
}

func submit(t *testing.T, api client.Client) asked {
	t.Helper()
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: "default", GenerateName: "act-"}}
	action.Spec.AgentRef.Name, action.Spec.ActionType = "agent", "database_read"
	create(t, api, action)
	return asked{t, api, action}
}

func (a asked) read() *v1alpha1.AgentAction {
	a.t.Helper()
	if err := a.api.Get(a.t.Context(), client.ObjectKeyFromObject(a.action), a.action); err != nil {
		a.t.Fatal(err)
	}
	return a.action
}

func (a asked) awaitApproved() {
	a.t.Helper()
	eventually(a.t, "approved", func() (bool, string) {
		status := a.read().Status
		return status.Decision == v1alpha1.DecisionApproved, string(status.Decision) + " " + status.Message
	})
}

// holder is who leads; empty when nobody does.
func holder(t *testing.T, api client.Client) string {
	t.Helper()
	var lease coordinationv1.Lease
	if err := api.Get(t.Context(), client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: leaderElectionID}, &lease); err != nil {
		t.Fatal(err)
	}
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// token is of a new ServiceAccount in namespace default.
func token(t *testing.T, api client.Client, name string) string {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	create(t, api, account)
	request := &authenticationv1.TokenRequest{}
	if err := api.SubResource("token").Create(t.Context(), account, request); err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}
