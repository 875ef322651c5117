// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// asInstalled gives the operator's ServiceAccount the rights that config/rbac
// gives it, and no others.
func asInstalled(ctx context.Context) {
	GinkgoHelper()
	text, err := os.ReadFile("../config/rbac/role.yaml")
	Expect(err).NotTo(HaveOccurred())
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		cluster, local := &rbacv1.ClusterRole{}, &rbacv1.Role{}
		operators := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: v1alpha1.OperatorUser}}
		var made []client.Object
		if strings.Contains(document, "kind: ClusterRole") {
			Expect(yaml.UnmarshalStrict([]byte(strings.TrimPrefix(document, "---\n")), cluster)).To(Succeed())
			made = []client.Object{cluster, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "as-installed"},
				RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: cluster.Name}, Subjects: operators}}
		} else {
			Expect(yaml.UnmarshalStrict([]byte(document), local)).To(Succeed())
			made = []client.Object{local, &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "as-installed", Namespace: local.Namespace},
				RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: local.Name}, Subjects: operators}}
		}
		for _, object := range made {
			Expect(api.Create(ctx, object)).To(Succeed())
			DeferCleanup(func() { Expect(api.Delete(context.WithoutCancel(ctx), object)).To(Succeed()) })
		}
	}
}

// administrator makes a user the administrator of Secrets and roles in the
// namespace, and nowhere else.
func (w world) administrator(ctx context.Context, name string) {
	GinkgoHelper()
	Expect(api.Create(ctx, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "administrator"},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"create", "get", "update"}},
			{APIGroups: []string{rbacv1.GroupName}, Resources: []string{"roles", "rolebindings"}, Verbs: []string{"create", "get"}},
		},
	})).To(Succeed())
	Expect(api.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "administrator"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "administrator"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
	})).To(Succeed())
}

// commands are the lines of a message that begin with kubectl.
func commands(message string) []string {
	return regexp.MustCompile(`(?m)^ {2}kubectl .*$`).FindAllString(message, -1)
}

// run runs a line of a message as somebody, with the kubectl of the assets.
func run(ctx context.Context, line, as string) error {
	words := slices.Concat(strings.Fields(line)[1:], []string{"--kubeconfig=" + kubeconfigFile(), "--as=" + as})
	out, err := exec.CommandContext(ctx, filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), words...).CombinedOutput()
	AddReportEntry(line, string(out))
	return err
}

// The operator may read no Secret by itself. A subscription makes it read none;
// a Role of the namespace does, by the Secret's name.
var _ = Describe("An operator with the rights that it is installed with", Serial, func() {
	var (
		w  world
		to *receiver
	)

	BeforeEach(func(ctx SpecContext) {
		alone()
		asInstalled(ctx)
		own := start(settings{user: v1alpha1.OperatorUser})
		DeferCleanup(own.stop)
		w, to = newWorld(ctx), newReceiver()
		w.apply(ctx, agentInSandbox, autoApproveToMedium)
	})

	It("reads a Secret once the namespace's administrator has run the commands of the condition, and tells then", func(ctx SpecContext) {
		w.secret(ctx, "hook", oneSecret)
		w.secret(ctx, "other", anotherSecret)
		w.administrator(ctx, "nora")
		w.subscribe(ctx, "closed", to, "action.approved, action.executed", "  previousSecretRef: {name: other, key: key}")
		said, err := w.readyOf(ctx, "closed")()
		Expect(err).NotTo(HaveOccurred())
		Expect(said).To(HavePrefix("False SecretNotReadable: the operator may not read Secret hook and other of namespace " + w.namespace))
		Expect(commands(said)).To(HaveExactElements(
			"  kubectl create role ascend-secret-hook -n "+w.namespace+" --verb=get --resource=secrets --resource-name=hook",
			"  kubectl create rolebinding ascend-secret-hook -n "+w.namespace+" --role=ascend-secret-hook --serviceaccount=ascend-system:ascend-controller-manager",
			"  kubectl create role ascend-secret-other -n "+w.namespace+" --verb=get --resource=secrets --resource-name=other",
			"  kubectl create rolebinding ascend-secret-other -n "+w.namespace+" --role=ascend-secret-other --serviceaccount=ascend-system:ascend-controller-manager",
		))
		action := w.submit(ctx, readCategories)
		Eventually(status(ctx, action)).Should(HaveField("Notification", v1alpha1.NotificationPending))
		report(ctx, action, v1alpha1.OutcomeSucceeded)
		Eventually(w.subscription(ctx, "closed")).Should(HaveField("Status.LastError", ContainSubstring("may not read Secret")))

		Expect(run(ctx, commands(said)[0], "eve")).NotTo(Succeed(), "who may not read the Secret lets nobody read it")
		for _, line := range commands(said) {
			Expect(run(ctx, line, "nora")).To(Succeed())
		}
		Eventually(w.readyOf(ctx, "closed")).Should(HavePrefix("True Ready"))
		expectTold(ctx, action, v1alpha1.NotificationDelivered)
		Expect(to.events()).To(Equal([]string{"action.approved", "action.executed"}))
		for _, one := range to.all() {
			Expect(one.signedBy(oneSecret)).To(BeTrue())
			Expect(one.signedBy(anotherSecret)).To(BeTrue(), "while receivers learn of the new one")
		}
	})

	It("tells of suspensions, outcomes and whatever else without another right", func(ctx SpecContext) {
		w.secret(ctx, "hook", oneSecret)
		w.administrator(ctx, "nora")
		w.subscribe(ctx, "all", to, everything)
		said, err := w.readyOf(ctx, "all")()
		Expect(err).NotTo(HaveOccurred())
		for _, line := range commands(said) {
			Expect(run(ctx, line, "nora")).To(Succeed())
		}
		Eventually(w.readyOf(ctx, "all")).Should(HavePrefix("True Ready"))
		action := w.submit(ctx, readCategories)
		expectDecision(ctx, action, v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved)
		report(ctx, action, v1alpha1.OutcomeFailed)
		w.edit(ctx, "Agent", "agent", `spec: {state: Suspended}`)
		expectTold(ctx, action, v1alpha1.NotificationDelivered)
		Eventually(to.events).Should(ConsistOf("action.submitted", "action.approved", "action.failed", "agent.suspended"))
		Eventually(w.agent(ctx)).Should(HaveField("Status.Notifications", BeEmpty()))
		Eventually(func() map[string]string {
			Expect(api.Get(ctx, client.ObjectKeyFromObject(action), action)).To(Succeed())
			return action.Labels
		}).Should(BeEmpty())
	})
})

var _ = Describe("The secrets of a subscription", func() {
	var (
		w  world
		to *receiver
	)

	BeforeEach(func(ctx SpecContext) {
		w, to = newWorld(ctx), newReceiver()
		w.apply(ctx, agentInSandbox, autoApproveToMedium)
	})

	It("are those of its own namespace", func(ctx SpecContext) {
		elsewhere := newWorld(ctx)
		elsewhere.secret(ctx, "hook", oneSecret)
		w.subscribe(ctx, "s", to, "action.approved")
		Expect(w.readyOf(ctx, "s")()).To(Equal("False SecretInvalid: spec.secretRef: there is no Secret hook in this namespace"))
		object := parse("kind: WebhookSubscription\nmetadata: {name: other}\nspec: {url: 'https://hooks.example.com/', events: [action.denied], secretRef: {name: hook, key: key, namespace: " + elsewhere.namespace + "}}")
		object.SetNamespace(w.namespace)
		Expect(api.Create(ctx, object, client.FieldValidation(metav1.FieldValidationStrict))).To(MatchError(ContainSubstring(`unknown field "spec.secretRef.namespace"`)))
		object = parse("kind: WebhookSubscription\nmetadata: {name: other}\nspec: {url: 'https://hooks.example.com/', events: [action.denied], secretRef: {name: " + elsewhere.namespace + "/hook, key: key}}")
		object.SetNamespace(w.namespace)
		Expect(api.Create(ctx, object)).To(MatchError(ContainSubstring("must be the name of an object")))
	})

	It("sign by what they hold now, and by the one before while it is named", func(ctx SpecContext) {
		w.secret(ctx, "hook", oneSecret)
		w.subscribe(ctx, "s", to, "action.approved")
		told := func() delivered {
			GinkgoHelper()
			before := len(to.all())
			expectTold(ctx, w.submit(ctx, readCategories), v1alpha1.NotificationDelivered)
			Expect(to.all()).To(HaveLen(before + 1))
			return to.all()[before]
		}
		first := told()
		Expect([]bool{first.signedBy(oneSecret), first.signedBy(anotherSecret)}).To(Equal([]bool{true, false}))

		By("rotated: a new Secret, and the old one named as the one before")
		w.secret(ctx, "hook-2", anotherSecret)
		w.edit(ctx, "WebhookSubscription", "s", `spec: {secretRef: {name: hook-2, key: key}, previousSecretRef: {name: hook, key: key}}`)
		both := told()
		Expect([]bool{both.signedBy(oneSecret), both.signedBy(anotherSecret)}).To(Equal([]bool{true, true}))
		w.edit(ctx, "WebhookSubscription", "s", `spec: {previousSecretRef: null}`)
		last := told()
		Expect([]bool{last.signedBy(oneSecret), last.signedBy(anotherSecret)}).To(Equal([]bool{false, true}))

		By("rotated in place, which the operator finds out within seconds")
		Expect(api.Patch(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "hook-2"}},
			client.RawPatch(types.MergePatchType, []byte(`{"stringData":{"key":"`+oneSecret+`"}}`)))).To(Succeed())
		Eventually(func() bool { one := told(); return one.signedBy(oneSecret) }).Should(BeTrue())
	})

	It("are said to be unusable, without a word of what they hold", func(ctx SpecContext) {
		w.secret(ctx, "hook", "shortsecret")
		w.subscribe(ctx, "s", to, "action.approved")
		Expect(w.readyOf(ctx, "s")()).To(And(HavePrefix("False SecretInvalid: spec.secretRef: key key of Secret hook: "), Not(ContainSubstring("shortsecret"))))
		w.secret(ctx, "url", "http://hidden.example.com/secret-path")
		w.edit(ctx, "WebhookSubscription", "s", `spec: {format: Slack, secretRef: null, url: null, urlFrom: {name: url, key: key}}`)
		Eventually(w.readyOf(ctx, "s")).Should(And(HavePrefix("False URLNotAllowed: spec.urlFrom: key key of Secret url: must begin with https://"), Not(ContainSubstring("hidden"))))
		w.edit(ctx, "WebhookSubscription", "s", `spec: {urlFrom: {name: url, key: other}}`)
		Eventually(w.readyOf(ctx, "s")).Should(HavePrefix("False SecretInvalid: spec.urlFrom: Secret url has no key other"))
		w.edit(ctx, "WebhookSubscription", "s", `spec: {urlFrom: null, url: "`+to.URL+`", caBundle: nonsense}`)
		Eventually(w.readyOf(ctx, "s")).Should(HavePrefix("False CABundleInvalid: "))
	})

	It("need not have the one before any more", func(ctx SpecContext) {
		w.secret(ctx, "hook", oneSecret)
		w.subscribe(ctx, "s", to, "action.approved", "  previousSecretRef: {name: cleaned-up, key: key}")
		Expect(w.readyOf(ctx, "s")()).To(Equal("True Ready: deliveries can be made; spec.previousSecretRef: there is no Secret cleaned-up in this namespace: the secret of spec.secretRef signs alone"))
		expectTold(ctx, w.submit(ctx, readCategories), v1alpha1.NotificationDelivered)
	})
})
