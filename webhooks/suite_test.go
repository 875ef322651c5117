// SPDX-License-Identifier: Apache-2.0

package webhooks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	servingenvtest "sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/controllers"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/policy"
	"github.com/ow-kai/ascend-operator/internal/ratelimit"
	"github.com/ow-kai/ascend-operator/internal/seal"
	"github.com/ow-kai/ascend-operator/internal/subscriptions"
	"github.com/ow-kai/ascend-operator/internal/trail/schema/schematest"
	"github.com/ow-kai/ascend-operator/internal/voucher"
	"github.com/ow-kai/ascend-operator/test/envtest"
	"github.com/ow-kai/ascend-operator/webhooks"
)

// What admission promises, asked of a real API server with the shipped
// webhooks and policies, as people who hold no more than they need. One server
// serves the whole suite; each spec has a namespace of its own. No controller
// runs: a spec writes status itself, as the operator.

// patience is how long to wait for what must happen. It is long, for the
// machine may be busy, and costs nothing where things go well.
const patience = time.Minute

// operatorName is whose writes admission believes.
const operatorName = "system:serviceaccount:" + v1alpha1.GlobalNamespace + ":ascend-controller-manager"

var (
	config *rest.Config
	scheme = runtime.NewScheme()
	// api is the API server itself, as an administrator.
	api client.Client
	// store is the policy that the webhooks know.
	store *policy.Store
	// subscribed is who wants to hear of what, as the webhooks know it.
	subscribed *subscriptions.Registry
	// ring seals what the webhooks stamp.
	ring *seal.Ring
	// voidBefore is when the last gap of admission ended.
	voidBefore atomic.Pointer[time.Time]
	// serverLog is the file of the API server's own audit log.
	serverLog string
	// records is what the webhooks wrote into the audit trail.
	records = &trail{}
)

func TestWebhooks(t *testing.T) {
	t.Parallel()
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Webhooks")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	ctrl.SetLogger(zap.New(zap.UseDevMode(true), zap.WriteTo(GinkgoWriter)))
	var stop func()
	// The log that docs/security.md speaks of, by the policy on that page.
	serverLog = filepath.Join(GinkgoT().TempDir(), "audit.log")
	config, stop = envtest.Start(GinkgoT(),
		envtest.APIServerFlag("audit-log-path", serverLog), envtest.APIServerFlag("audit-policy-file", auditPolicy()))
	DeferCleanup(stop)
	config.QPS = -1

	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	var err error
	api, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	createNamespace(ctx, v1alpha1.GlobalNamespace)

	var secret [32]byte // of a test: any bytes will do
	ring, err = seal.NewRing("00000001", []seal.Key{{ID: "00000001", Secret: secret[:]}})
	Expect(err).NotTo(HaveOccurred())
	url, authority := serve()
	DeferCleanup(func() { records.validate() })
	envtest.InstallAdmissionPolicies(GinkgoT(), config)
	envtest.InstallWebhooks(GinkgoT(), config, url, authority)
})

// auditPolicy writes the policy that docs/security.md shows to a file.
func auditPolicy() string {
	GinkgoHelper()
	page, err := os.ReadFile("../docs/security.md")
	Expect(err).NotTo(HaveOccurred())
	_, text, found := strings.Cut(string(page), "```yaml\napiVersion: audit.k8s.io/v1\n")
	Expect(found).To(BeTrue(), "docs/security.md shows no audit policy")
	text, _, _ = strings.Cut(text, "```")
	file := filepath.Join(GinkgoT().TempDir(), "policy.yaml")
	Expect(os.WriteFile(file, []byte("apiVersion: audit.k8s.io/v1\n"+text), 0o600)).To(Succeed())
	return file
}

// serve starts the webhooks of an operator in this process and returns their
// address and the certificate of who signed theirs.
func serve() (url string, authority []byte) {
	GinkgoHelper()
	serving := &servingenvtest.WebhookInstallOptions{}
	Expect(serving.PrepWithoutInstalling()).To(Succeed())
	DeferCleanup(serving.Cleanup)
	mgr, err := ctrl.NewManager(operatorConfig(), ctrl.Options{
		Scheme:  scheme,
		Cache:   controllers.CacheOptions(),
		Metrics: metricsserver.Options{BindAddress: "0"},
		WebhookServer: webhook.NewServer(webhook.Options{
			Host: serving.LocalServingHost, Port: serving.LocalServingPort, CertDir: serving.LocalServingCertDir,
		}),
	})
	Expect(err).NotTo(HaveOccurred())

	ctx, cancel := context.WithCancel(context.Background())
	store, err = policy.NewStore()
	Expect(err).NotTo(HaveOccurred())
	feed, err := policy.NewFeed(ctx, mgr.GetCache(), store)
	Expect(err).NotTo(HaveOccurred())
	wanted, err := subscriptions.NewFeed(ctx, mgr.GetCache())
	Expect(err).NotTo(HaveOccurred())
	subscribed = wanted.Registry
	Expect(webhooks.Setup(mgr, webhooks.Options{
		Subscriptions: wanted,

		Audit:   audit.NewLog(records),
		Policy:  store,
		Synced:  feed.Synced,
		Ring:    func() *seal.Ring { return ring },
		Voucher: sealed(),
		Limiter: ratelimit.New(),
		Live:    mgr.GetAPIReader(),
	})).To(Succeed())

	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	DeferCleanup(func() {
		cancel()
		Eventually(ended).Should(Receive(Succeed()))
	})
	Eventually(feed.Synced).Should(BeTrue())
	Eventually(wanted.Synced).Should(BeTrue())
	Eventually(func() error { return mgr.GetWebhookServer().StartedChecker()(nil) }).Should(Succeed())
	return "https://" + net.JoinHostPort(serving.LocalServingHost, strconv.Itoa(serving.LocalServingPort)), serving.LocalServingCAData
}

// sealed believes what the webhooks have sealed since the last gap.
func sealed() voucher.Sealed {
	return voucher.Sealed{
		Ring: func() *seal.Ring { return ring },
		VoidBefore: func() time.Time {
			if since := voidBefore.Load(); since != nil {
				return *since
			}
			return time.Time{}
		},
	}
}

// operatorConfig is of the operator, with every right: what RBAC keeps from it
// is the matter of another suite.
func operatorConfig() *rest.Config { return configOf(operatorName, "system:masters") }

func configOf(username string, groups ...string) *rest.Config {
	own := rest.CopyConfig(config)
	own.Impersonate = rest.ImpersonationConfig{UserName: username, UID: "uid-" + username, Groups: groups}
	return own
}

// person is somebody at the API server.
type person struct {
	client.Client
	name string
	heard
}

// as is the API server as somebody sees it who is in these groups and logged
// in. Field validation is strict, as kubectl's.
func as(username string, groups ...string) *person {
	GinkgoHelper()
	p := &person{name: username}
	own := configOf(username, append(groups, "system:authenticated")...)
	own.WarningHandlerWithContext = &p.heard
	plain, err := client.New(own, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	p.Client = client.WithFieldValidation(plain, metav1.FieldValidationStrict)
	return p
}

// heard are the warnings that somebody was given.
type heard struct {
	mu    sync.Mutex
	texts []string
}

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (h *heard) HandleWarningHeaderWithContext(_ context.Context, _ int, _, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.texts = append(h.texts, text)
}

// warnings returns those since the last call.
func (h *heard) warnings() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	texts := h.texts
	h.texts = nil
	return texts
}

// grant gives somebody a Role of their own in a namespace, over kinds of this
// project, and waits until they have it.
func grant(ctx context.Context, namespace, username string, verbs []string, resources ...string) {
	GinkgoHelper()
	role := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "test-"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: resources, Verbs: verbs}},
	}
	Expect(api.Create(ctx, role)).To(Succeed())
	Expect(api.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "test-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: username}},
	})).To(Succeed())
	// The API server takes roles over from a watch.
	Eventually(may).WithArguments(ctx, username, verbs[0], resources[0], namespace).Should(BeTrue())
}

// may says whether somebody holds a verb on a resource of this project.
func may(ctx context.Context, username, verb, resource, namespace string) bool {
	GinkgoHelper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: username, ResourceAttributes: &authorizationv1.ResourceAttributes{
			Group: v1alpha1.GroupVersion.Group, Resource: resource, Verb: verb, Namespace: namespace,
		},
	}}
	Expect(api.Create(ctx, review)).To(Succeed())
	return review.Status.Allowed
}

var namespaces struct {
	sync.Mutex
	count int
}

// newNamespace makes a namespace for a spec.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespaces.Lock()
	namespaces.count++
	name := fmt.Sprintf("ns-%d", namespaces.count)
	namespaces.Unlock()
	createNamespace(ctx, name)
	return name
}

func createNamespace(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(api.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
}

// trail is an audit log in memory.
type trail struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *trail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

// validate holds every record against the schema.
func (t *trail) validate() {
	GinkgoHelper()
	t.mu.Lock()
	defer t.mu.Unlock()
	for line := range bytes.Lines(t.text.Bytes()) {
		Expect(schematest.Validate(line)).To(Succeed(), string(line))
	}
}

// of are the records about objects of a namespace, oldest first, but for those of
// policy that was let through. Cluster-scoped objects have the namespace "".
func (t *trail) of(namespace string) []audit.Record {
	GinkgoHelper()
	return slices.DeleteFunc(t.all(namespace), changesPolicy)
}

// policy are the records of policy of a namespace that was let through.
func (t *trail) policy(namespace string) []audit.Record {
	GinkgoHelper()
	return slices.DeleteFunc(t.all(namespace), func(r audit.Record) bool { return !changesPolicy(r) })
}

func changesPolicy(r audit.Record) bool {
	return slices.Contains([]v1alpha1.EventType{audit.EventPolicyCreated, audit.EventPolicyUpdated, audit.EventPolicyDeleted}, r.Event)
}

func (t *trail) all(namespace string) []audit.Record {
	GinkgoHelper()
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []audit.Record
	for line := range bytes.Lines(slices.Clone(t.text.Bytes())) {
		var r audit.Record
		Expect(json.Unmarshal(line, &r)).To(Succeed())
		if r.Namespace == namespace {
			found = append(found, r)
		}
	}
	return found
}

// unguarded does something while the API server asks no webhook about policy.
// Specs that use it are Serial.
func unguarded(ctx context.Context, do func()) {
	GinkgoHelper()
	var hooks admissionregistrationv1.ValidatingWebhookConfiguration
	hooks.Name = "ascend-validating-webhook-configuration"
	Expect(api.Get(ctx, client.ObjectKeyFromObject(&hooks), &hooks)).To(Succeed())
	without := hooks.DeepCopy()
	without.Webhooks = nil
	Expect(api.Update(ctx, without)).To(Succeed())
	broken := func() error {
		return api.Create(ctx, document("SmartRule", v1alpha1.GlobalNamespace, "probe",
			`{effect: Deny, conditions: [{name: a, expression: "("}]}`), client.DryRunAll)
	}
	Eventually(broken).Should(Succeed())
	defer func() {
		hooks.ResourceVersion = without.ResourceVersion
		Expect(api.Update(ctx, &hooks)).To(Succeed())
		Eventually(broken).ShouldNot(Succeed())
	}()
	do()
}
