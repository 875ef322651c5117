// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/anchor"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/test/envtest"
)

func TestManager(t *testing.T) {
	t.Parallel()
	RegisterFailHandler(Fail)
	RunSpecs(t, "The operator's program")
}

var (
	server *rest.Config
	api    client.Client
)

var _ = BeforeSuite(func(ctx SpecContext) {
	var stop func()
	callerAuthority = newAuthority("callers")
	server, stop = envtest.Start(GinkgoT(), envtest.APIServerFlag("admission-control-config-file", admissionConfiguration()))
	DeferCleanup(stop)
	scheme, err := newScheme()
	Expect(err).NotTo(HaveOccurred())
	api, err = client.New(server, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())

	installOperator(ctx)
	envtest.InstallAdmissionPolicies(GinkgoT(), server)
	create(ctx, &v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "agent"}, Spec: v1alpha1.AgentSpec{
		Environment: v1alpha1.EnvironmentSandbox,
		Subjects:    []v1alpha1.Subject{{Kind: v1alpha1.SubjectUser, Name: myself(ctx)}},
	}})
	create(ctx, &v1alpha1.ApprovalWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "auto"},
		Spec: v1alpha1.ApprovalWorkflowSpec{Selector: &v1alpha1.WorkflowSelector{}, AutoApprove: true}})
})

// One after the other: two operators without leader election would both decide.
var _ = Describe("The operator", Serial, func() {
	It("serves, decides and ends in order", func(ctx SpecContext) {
		p := startProcess(ctx)
		awaitStatus(ctx, "http://"+p.probes+"/healthz", "", 200)
		admitBy(ctx, p)
		awaitApproved(ctx, submit(ctx))
		awaitMetrics(ctx, p, And(
			ContainSubstring(`ascend_decisions_total{decision="Approved",reason="AutoApproved"} 1`),
			ContainSubstring(`ascend_decision_seconds_count{decision="Approved"} 1`),
			ContainSubstring(`controller_runtime_reconcile_total{controller="agentaction",result="success"}`),
		))
		p.signal(syscall.SIGTERM)
		Expect(p.awaitEnd()).To(BeZero())
		// The guard may have found that another spec's operator has gone.
		Expect(strings.Count(p.records(), `"event":"action.`)).To(Equal(3), p.records())
		for _, event := range []string{"submitted", "evaluated", "approved"} {
			Expect(strings.Count(p.records(), `"event":"action.`+event+`"`)).To(Equal(1), p.records())
		}
		expectAnchored(ctx, p)
	})

	It("is not ready while records cannot be kept, and says why", func(ctx SpecContext) {
		if runtime.GOOS != "linux" {
			Skip("needs Linux's /dev/full")
		}
		p := startProcess(ctx, "--audit-log=/dev/full")
		awaitStatus(ctx, "http://"+p.probes+"/readyz/certificate", "", 200)
		envtest.InstallWebhooks(GinkgoT(), server, "https://"+p.webhooks, nil)
		awaitAdmission(ctx)
		action := submit(ctx)
		Expect(awaitStatus(ctx, "http://"+p.probes+"/readyz/audit", "", 500)).To(ContainSubstring("no space left on device"))
		awaitStatus(ctx, "http://"+p.probes+"/readyz", "", 500)
		awaitStatus(ctx, "http://"+p.probes+"/healthz", "", 200)
		Expect(statusOf(ctx, action).Decision).To(Equal(v1alpha1.DecisionNone), "no decision without its record")
		p.signal(syscall.SIGTERM)
		Expect(p.awaitEnd()).To(BeZero())
	})

	It("goes on without records where it is told to, and counts them", func(ctx SpecContext) {
		if runtime.GOOS != "linux" {
			Skip("needs Linux's /dev/full")
		}
		p := startProcess(ctx, "--audit-log=/dev/full", "--audit-on-failure=continue")
		admitBy(ctx, p)
		awaitApproved(ctx, submit(ctx))
		awaitMetrics(ctx, p, And(
			ContainSubstring("ascend_audit_healthy 0"),
			MatchRegexp(`ascend_audit_lost_records_total\{sink="file"\} [1-9]`),
			MatchRegexp(`ascend_audit_write_failures_total\{sink="file"\} [1-9]`),
		))
		p.signal(syscall.SIGTERM)
		Expect(p.awaitEnd()).To(BeZero())
	})

	It("goes on in the file of one that was killed, and says where that ended", func(ctx SpecContext) {
		path := filepath.Join(GinkgoT().TempDir(), "audit.log")
		first := startProcess(ctx, "--audit-log="+path)
		first.auditLog = path
		admitBy(ctx, first)
		awaitApproved(ctx, submit(ctx))
		other := startProcess(ctx, "--audit-log="+path)
		Expect(other.awaitEnd()).To(Equal(exitFailure))
		Expect(other.log.String()).To(ContainSubstring("another process writes this file; give each replica a file of its own"))
		first.signal(syscall.SIGKILL)
		first.awaitEnd()
		before := strings.TrimSpace(first.records())
		var last audit.Record
		Expect(json.Unmarshal([]byte(before[strings.LastIndexByte(before, '\n')+1:]), &last)).To(Succeed())

		second := startProcess(ctx, "--audit-log="+path)
		second.auditLog = path
		awaitStatus(ctx, "http://"+second.probes+"/readyz", "", 200)
		second.signal(syscall.SIGTERM)
		Expect(second.awaitEnd()).To(BeZero())
		var started audit.Record
		line, _, _ := strings.Cut(strings.TrimPrefix(second.records(), before+"\n"), "\n")
		Expect(json.Unmarshal([]byte(line), &started)).To(Succeed())
		Expect(started.Event).To(Equal(audit.EventStarted))
		Expect(started.Journal.Previous).To(HaveValue(Equal(audit.Head{Chain: last.Chain, Sequence: last.Sequence, Hash: last.Hash})))
		Expect(started.Journal.Replica).NotTo(BeEmpty())
		expectAnchored(ctx, second)
	})

	It("of two decides in one, and the other takes over", func(ctx SpecContext) {
		elected := []string{
			"--leader-elect", "--leader-election-lease-duration=20s", // a busy machine may renew it late
			"--leader-election-renew-deadline=18s", "--leader-election-retry-period=500ms",
		}
		first := startProcess(ctx, elected...)
		admitBy(ctx, first)
		awaitApproved(ctx, submit(ctx))
		leader := holder(ctx)
		second := startProcess(ctx, elected...)
		awaitStatus(ctx, "http://"+second.probes+"/readyz", "", 200) // warm, though it does not lead
		for range 10 {
			awaitApproved(ctx, submit(ctx))
		}
		admitBy(ctx, second) // it does not lead, and seals with the same key
		awaitApproved(ctx, submit(ctx))
		Expect(holder(ctx)).To(Equal(leader))
		Expect(second.records()).NotTo(ContainSubstring(`"event":"action.`), "the other has decided, too")

		first.signal(syscall.SIGKILL)
		first.awaitEnd()
		awaitAdmission(ctx) // by the other, wherever the API server asked last
		awaitApproved(ctx, submit(ctx))
		Expect(holder(ctx)).NotTo(Equal(leader), "decided without the lease")
		Expect(second.records()).To(ContainSubstring(`"event":"action.`), "no decision without its record")
		second.signal(syscall.SIGTERM)
		Expect(second.awaitEnd()).To(BeZero())
		Expect(holder(ctx)).To(BeEmpty(), "the lease is given up")
	})

	It("serves the certificate of files, and leaves Secret and caBundle to others", func(ctx SpecContext) {
		folder := GinkgoT().TempDir()
		first := writeCertificate(folder)
		before := certificateSecret(ctx)
		p := startProcess(ctx, "--webhook-cert-dir="+folder)
		awaitStatus(ctx, "http://"+p.probes+"/readyz", "", 200)
		envtest.InstallWebhooks(GinkgoT(), server, "https://"+p.webhooks, first)
		awaitAdmission(ctx)

		second := writeCertificate(folder) // as cert-manager renews it
		envtest.InstallWebhooks(GinkgoT(), server, "https://"+p.webhooks, second)
		awaitAdmission(ctx)
		Expect(caBundles(ctx)).To(HaveEach(Equal(second)))
		Expect(certificateSecret(ctx)).To(Equal(before))
		p.signal(syscall.SIGTERM)
		Expect(p.awaitEnd()).To(BeZero())
	})

	It("says what is wrong when the files are not there", func(ctx SpecContext) {
		p := startProcess(ctx, "--webhook-cert-dir="+GinkgoT().TempDir())
		Expect(p.awaitEnd()).To(Equal(exitFailure))
		Expect(p.log.String()).To(And(ContainSubstring("--webhook-cert-dir: open "), ContainSubstring("put certificate and key there")))
	})

	It("shows metrics to others only with a token that may", func(ctx SpecContext) {
		_, port, _ := strings.Cut(envtest.FreeAddress(ctx, GinkgoT()), ":")
		p := startProcess(ctx, "--metrics-bind-address=0.0.0.0:"+port)
		url := "https://127.0.0.1:" + port + "/metrics"
		awaitStatus(ctx, "http://"+p.probes+"/readyz", "", 200)
		awaitStatus(ctx, url, "", 401)
		awaitStatus(ctx, url, "forged", 401)
		awaitStatus(ctx, url, token(ctx, "stranger"), 403)
		reader := token(ctx, "prometheus")
		create(ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "metrics"},
			Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}, NonResourceURLs: []string{"/metrics"}}}})
		create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "metrics"},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "metrics"},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: "prometheus"}}})
		Expect(awaitStatus(ctx, url, reader, 200)).To(ContainSubstring("controller_runtime"))
	})

	It("says what is wrong when there is no cluster", func(ctx SpecContext) {
		p := startProcess(ctx, "--kubeconfig="+GinkgoT().TempDir()+"/none")
		Expect(p.awaitEnd()).To(Equal(exitFailure))
		Expect(p.log.String()).To(ContainSubstring("manager: no cluster to work on"))
	})
})

func create(ctx context.Context, object client.Object) {
	GinkgoHelper()
	Expect(api.Create(ctx, object)).To(Succeed())
}

func submit(ctx context.Context) *v1alpha1.AgentAction {
	GinkgoHelper()
	action := newAction()
	create(ctx, action)
	return action
}

func statusOf(ctx context.Context, action *v1alpha1.AgentAction) v1alpha1.AgentActionStatus {
	GinkgoHelper()
	Expect(api.Get(ctx, client.ObjectKeyFromObject(action), action)).To(Succeed())
	return action.Status
}

func awaitApproved(ctx context.Context, action *v1alpha1.AgentAction) {
	GinkgoHelper()
	Eventually(func() v1alpha1.AgentActionStatus { return statusOf(ctx, action) }).WithTimeout(patience).
		Should(HaveField("Decision", v1alpha1.DecisionApproved))
}

// holder is who leads; empty when nobody does.
func holder(ctx context.Context) string {
	GinkgoHelper()
	var lease coordinationv1.Lease
	Expect(api.Get(ctx, client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: leaderElectionID}, &lease)).To(Succeed())
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// expectAnchored expects a trail that begins and ends in order, and an anchor of
// its very end.
func expectAnchored(ctx context.Context, p *process) {
	GinkgoHelper()
	lines := strings.Split(strings.TrimSpace(p.records()), "\n")
	var last audit.Record
	Expect(json.Unmarshal([]byte(lines[len(lines)-1]), &last)).To(Succeed())
	Expect(lines[0]).To(ContainSubstring(`"event":"audit.started"`))
	Expect(last.Event).To(Equal(audit.EventStopped))

	var anchors corev1.ConfigMap
	Expect(api.Get(ctx, client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: anchor.ConfigMapName}, &anchors)).To(Succeed())
	var signed audit.Checkpoint
	Expect(json.Unmarshal([]byte(anchors.Data[anchor.ChainPrefix+last.Chain]), &signed)).To(Succeed())
	Expect(signed.Head).To(Equal(audit.Head{Chain: last.Chain, Sequence: last.Sequence, Hash: last.Hash}))
	block, _ := pem.Decode([]byte(anchors.Data[anchor.KeyPrefix+signed.KeyID]))
	Expect(block).NotTo(BeNil())
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	Expect(err).NotTo(HaveOccurred())
	public, isEd25519 := key.(ed25519.PublicKey)
	Expect(isEd25519).To(BeTrue())
	Expect(signed.Verify(public)).To(Succeed())
}

// token is of a new ServiceAccount in namespace default.
func token(ctx context.Context, name string) string {
	GinkgoHelper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	create(ctx, account)
	request := &authenticationv1.TokenRequest{}
	Expect(api.SubResource("token").Create(ctx, account, request)).To(Succeed())
	return request.Status.Token
}

// records are the lines of the process's audit log so far.
func (p *process) records() string {
	GinkgoHelper()
	text, err := os.ReadFile(p.auditLog)
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}
