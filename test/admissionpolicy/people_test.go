// SPDX-License-Identifier: Apache-2.0

package admissionpolicy_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// accessPage returns the lines of docs/access-control.md that begin so.
func accessPage(prefix string) []string {
	GinkgoHelper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "access-control.md"))
	Expect(err).NotTo(HaveOccurred())
	var found []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, prefix) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// question is a line `kubectl auth can-i VERB RESOURCE[/NAME] [flags]  # yes`.
type question struct {
	who        person
	attributes authorizationv1.ResourceAttributes
	answer     string
}

var lineOfQuestion = regexp.MustCompile(`^kubectl auth can-i (\S+) ([a-z]+)(?:/(\S+))?((?: -\S+(?: \S+)?)*?)\s+# (yes|no)$`)

func parseQuestion(line string) question {
	GinkgoHelper()
	m := lineOfQuestion.FindStringSubmatch(line)
	Expect(m).NotTo(BeNil(), "not of the form that the test reads: %s", line)
	q := question{answer: m[5], attributes: authorizationv1.ResourceAttributes{Verb: m[1], Resource: m[2], Name: m[3], Group: v1alpha1.GroupVersion.Group}}
	if m[2] == "secrets" {
		q.attributes.Group = ""
	}
	words := strings.Fields(m[4])
	for i := 0; i < len(words); i++ {
		if subresource, found := strings.CutPrefix(words[i], "--subresource="); found {
			q.attributes.Subresource = subresource
			continue
		}
		Expect(i+1).To(BeNumerically("<", len(words)), line)
		switch words[i] {
		case "-n":
			q.attributes.Namespace = words[i+1]
		case "--as":
			q.who.name = words[i+1]
		case "--as-group":
			q.who.groups = append(q.who.groups, words[i+1])
		default:
			Fail("unknown flag in: " + line)
		}
		i++
	}
	Expect(q.who.name).NotTo(BeEmpty(), line)
	return q
}

// ask asks the API server as the person.
func (q question) ask(ctx context.Context) (string, error) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &q.attributes}}
	if err := q.who.client().Create(ctx, review); err != nil {
		return "", err
	}
	if review.Status.Allowed {
		return "yes", nil
	}
	return "no", nil
}

// Every role is granted by the very commands of docs/access-control.md; then
// each person acts.
var _ = Describe("The page about access control", Ordered, func() {
	var (
		stockAgent = person{name: "system:serviceaccount:shop:stock-agent"}
		approver   = person{name: "alice", groups: []string{"ascend-approvers"}}
		baker      = person{name: "ben", groups: []string{"bakers"}}
		lead       = person{name: "lea", groups: []string{"shop-leads"}}
		emergency  = person{name: "erin", groups: []string{"ascend-emergency"}}
		author     = person{name: "ruth"}
		auditor    = person{name: "otto", groups: []string{"ascend-auditors"}}
		boss       = person{name: "ada", groups: []string{"ascend-admins"}}
		purger     = person{name: "paul"}
	)
	submitted := func(ctx SpecContext, namespace string) *unstructured.Unstructured {
		o := stockAgent.action(ctx)
		o.SetNamespace(namespace)
		submitter := stockAgent
		if namespace != teamNamespace {
			submitter.groups = []string{all, "system:serviceaccounts"}
			set(o, submitter.stamp(ctx), "spec", "requester")
		}
		Expect(submitter.client().Create(ctx, o)).To(Succeed())
		decide(ctx, o, "Pending")
		return read(ctx, o)
	}
	approveAs := func(ctx SpecContext, p person, o *unstructured.Unstructured, pairs ...any) error {
		o = o.DeepCopy()
		before := o.DeepCopy()
		appendApproval(o, with(p.verdict(), pairs...))
		return p.client().Patch(ctx, o, client.MergeFrom(before))
	}
	rbac := ContainSubstring(" cannot ")

	BeforeAll(func(ctx SpecContext) {
		path := kubeconfig()
		commands := accessPage("kubectl create ")
		Expect(len(commands)).To(BeNumerically(">=", 14))
		for _, command := range commands {
			kubectl(ctx, path, strings.Fields(strings.TrimPrefix(command, "kubectl "))...)
		}
		// What was granted last is in force last.
		last := parseQuestion("kubectl auth can-i purge agentactions -n bakery --as paul # yes")
		Eventually(last.ask).WithContext(ctx).Should(Equal("yes"))
	})

	It("says what kubectl auth can-i answers", func(ctx SpecContext) {
		lines := accessPage("kubectl auth can-i ")
		Expect(len(lines)).To(BeNumerically(">=", 50))
		for _, line := range lines {
			q := parseQuestion(line)
			Eventually(q.ask).WithContext(ctx).Should(Equal(q.answer), line)
		}
	})

	It("lists every role there is", func() {
		files, err := os.ReadDir(filepath.Join(root, "config", "rbac", "people"))
		Expect(err).NotTo(HaveOccurred())
		for _, file := range files {
			name := "ascend-" + strings.ReplaceAll(strings.TrimSuffix(file.Name(), "_role.yaml"), "_", "-")
			Expect(accessPage("| `"+name+"` |")).To(HaveLen(1), "the table of roles has no %s", name)
		}
	})

	It("the agent submits, withdraws and reports, and no more", func(ctx SpecContext) {
		o := submitted(ctx, teamNamespace)
		Expect(approveAs(ctx, stockAgent, o, "approver", "alice")).To(MatchError(ContainSubstring("in one's own name")))
		Expect(stockAgent.client().Delete(ctx, o)).To(MatchError(rbac))
		Expect(stockAgent.client().Create(ctx, object(v1alpha1.GroupVersion.String(), "Agent", teamNamespace, "another"))).To(MatchError(rbac))
		Expect(read(ctx, o)).To(Equal(o))
		cancelled := o.DeepCopy()
		set(cancelled, true, "spec", "cancelled")
		Expect(stockAgent.client().Patch(ctx, cancelled, client.MergeFrom(o))).To(Succeed())

		o = submitted(ctx, teamNamespace)
		decide(ctx, o, "Approved")
		reported := o.DeepCopy()
		set(reported, map[string]any{"result": "Succeeded"}, "spec", "outcome")
		Expect(stockAgent.client().Patch(ctx, reported, client.MergeFrom(o))).To(Succeed())
	})

	It("approvers give their verdict where they may, and nothing else", func(ctx SpecContext) {
		o := submitted(ctx, teamNamespace)
		Expect(approveAs(ctx, baker, o)).To(MatchError(rbac))
		Expect(approveAs(ctx, approver, o, "as", "group:shop-leads")).To(MatchError(ContainSubstring("`as` names")))
		Expect(approver.client().Delete(ctx, o)).To(MatchError(rbac))
		Expect(read(ctx, o)).To(Equal(o))
		Expect(approveAs(ctx, approver, o, "as", "group:ascend-approvers")).To(Succeed())
		Expect(approveAs(ctx, lead, read(ctx, o), "as", "group:shop-leads")).To(Succeed())
		Expect(approveAs(ctx, emergency, read(ctx, o), "verdict", "Override", "stage", "emergency-override", "comment", "incident 12")).To(Succeed())
		Expect(approveAs(ctx, baker, submitted(ctx, otherNamespace), "as", "group:bakers")).To(Succeed())
	})

	It("the author of rules writes rules of the namespace, and nothing else", func(ctx SpecContext) {
		rule := func(namespace string) *unstructured.Unstructured {
			o := object(v1alpha1.GroupVersion.String(), "SmartRule", namespace, "of-ruth")
			o.Object["spec"] = map[string]any{"effect": "Deny", "match": map[string]any{"actionTypes": []any{"never"}}}
			return o
		}
		Expect(author.client().Create(ctx, rule(teamNamespace))).To(Succeed())
		Expect(author.client().Create(ctx, rule("ascend-system"))).To(MatchError(rbac))
		Expect(approveAs(ctx, author, submitted(ctx, teamNamespace))).To(MatchError(rbac))
	})

	It("the auditor reads, and nothing else", func(ctx SpecContext) {
		o := submitted(ctx, teamNamespace)
		Expect(auditor.client().List(ctx, &v1alpha1.AgentActionList{})).To(Succeed())
		Expect(auditor.client().List(ctx, &v1alpha1.SmartRuleList{})).To(Succeed())
		Expect(approveAs(ctx, auditor, o)).To(MatchError(rbac))
		Expect(auditor.client().Delete(ctx, o)).To(MatchError(rbac))
	})

	It("the admin makes policy and purges, but neither asks nor agrees", func(ctx SpecContext) {
		registered := object(v1alpha1.GroupVersion.String(), "Agent", teamNamespace, "registered")
		registered.Object["spec"] = map[string]any{"environment": "sandbox"}
		Expect(boss.client().Create(ctx, registered)).To(Succeed())
		o := submitted(ctx, teamNamespace)
		Expect(approveAs(ctx, boss, o)).To(MatchError(rbac))
		Expect(boss.client().Create(ctx, boss.action(ctx))).To(MatchError(rbac))
		decided := o.DeepCopy()
		set(decided, "Approved", "status", "decision")
		Expect(boss.client().Status().Update(ctx, decided)).To(MatchError(rbac))
		Expect(boss.client().Delete(ctx, o)).To(Succeed())
	})

	It("who may purge in one namespace purges there", func(ctx SpecContext) {
		Expect(purger.client().Delete(ctx, submitted(ctx, otherNamespace))).To(Succeed())
		Expect(purger.client().Delete(ctx, submitted(ctx, teamNamespace))).To(MatchError(rbac))
	})
})
