// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func init() { attacks = append(attacks, submissionAttacks()...) }

// Nobody submits in another's name, or what is already approved.
func submissionAttacks() []*attack {
	bot := func(s *scene) person { return s.agent }
	stamps := func(change func(*v1alpha1.Requester)) func(context.Context, *scene, *v1alpha1.AgentAction) {
		return func(ctx context.Context, s *scene, action *v1alpha1.AgentAction) {
			action.Spec.Requester = s.stamp(ctx, s.agent)
			change(action.Spec.Requester)
		}
	}
	notYou := refusedBy("policy", "ascend-agentaction-identity", "spec.requester is not you", "Leave spec.requester out", "kubectl create -f FILE")
	out := []*attack{
		submission("with the owner as requester", bot, stamps(func(r *v1alpha1.Requester) { r.Username = "olga" }), overwritten("olga"), notYou),
		submission("with another uid", bot, stamps(func(r *v1alpha1.Requester) { r.UID = "1" }), overwritten(""), notYou),
		submission("with more groups", bot, stamps(func(r *v1alpha1.Requester) { r.Groups = append(r.Groups, "system:masters") }), overwritten(""), notYou),
		submission("with fewer groups", bot, stamps(func(r *v1alpha1.Requester) { r.Groups = r.Groups[:1] }), overwritten(""), notYou),
		submission("with no groups", bot, stamps(func(r *v1alpha1.Requester) { r.Groups = nil }), overwritten(""), notYou),
		submission("without a requester", bot, func(context.Context, *scene, *v1alpha1.AgentAction) {}, overwritten(""),
			refusedBy("policy", "ascend-agentaction-identity", "the submission carries no stamp of the operator", "Who may submit: a subject of the Agent agent",
				"kubectl get mutatingwebhookconfigurations", "kubectl apply --server-side -k config/default", "then create the action again")),
		submission("without a seal", bot, stamps(func(r *v1alpha1.Requester) { r.Seal = "" }), overwritten(""),
			refusedBy("policy", "ascend-agentaction-identity", "the submission carries no stamp of the operator")),
		submission("with approvals", bot, func(ctx context.Context, s *scene, action *v1alpha1.AgentAction) {
			action.Spec.Requester = s.stamp(ctx, s.agent)
			action.Spec.Approvals = []v1alpha1.Approval{s.entry(ctx, s.alice), s.entry(ctx, s.bob)}
		}, refusedBy("webhook", "spec.approvals: an action cannot be submitted with approvals", "approvers give them once it is pending", "kubectl approve"),
			refusedBy("schema", "spec.approvals", "an action cannot be submitted with approvals; they are given once it is pending, by kubectl approve")),
		submission("with approvals of another action", bot, func(ctx context.Context, s *scene, action *v1alpha1.AgentAction) {
			action.Spec.Requester, action.Spec.Approvals = s.stamp(ctx, s.agent), s.fresh(ctx).Spec.Approvals
		}, refusedBy("webhook", "an action cannot be submitted with approvals", "kubectl approve"),
			refusedBy("schema", "an action cannot be submitted with approvals")),
		submission("cancelled", bot, func(ctx context.Context, s *scene, action *v1alpha1.AgentAction) {
			action.Spec.Requester, action.Spec.Cancelled = s.stamp(ctx, s.agent), true
		}, refusedBy("webhook", "an action cannot be submitted as cancelled", "kubectl create -f FILE"), refusedBy("schema", "an action cannot be submitted as cancelled; submit it, then cancel it", "kubectl edit agentaction")),
		submission("with an outcome", bot, func(ctx context.Context, s *scene, action *v1alpha1.AgentAction) {
			action.Spec.Requester = s.stamp(ctx, s.agent)
			action.Spec.Outcome = &v1alpha1.Outcome{Result: v1alpha1.OutcomeSucceeded}
		}, refusedBy("webhook", "an outcome can be reported only after", "kubectl patch agentaction"), refusedBy("schema", "an outcome can be reported only after the action was approved", "kubectl get agentactions")),
		submission("with a status of approved", bot, func(ctx context.Context, s *scene, action *v1alpha1.AgentAction) {
			action.Spec.Requester, action.Status = s.stamp(ctx, s.agent), s.fresh(ctx).Status
			action.Status.Decision = v1alpha1.DecisionApproved
		}, overwritten(""), notAdmitted("was not made for it")),
		submission("with a made-up seal", bot, stamps(func(*v1alpha1.Requester) {}), overwritten(""), notAdmitted("was not made for it")),
	}
	out = append(out, applied())
	notASubject := func(name string) outcome {
		return refusedBy("webhook", name+" may not submit actions in the name of agent agent", "its spec.subjects may", "Whoever manages the agent can add you", "kubectl edit agent agent", name)
	}
	for _, other := range []struct {
		name   string
		groups []string
	}{
		{"mallory", []string{"nobodies"}},
		{"Sam", nil},
		{"sam ", nil},
		{"olga", nil}, // the owner
		{"bot", nil},  // a user with the name of the ServiceAccount
		{"mark", []string{"Bot-Makers"}},
	} {
		who := func(*scene) person { return lab.user(other.name, other.groups...) }
		out = append(out, submission("in the name of an agent whose subject one is not: "+strings.ReplaceAll(other.name, " ", "_"),
			who, stampedBy(who), notASubject(other.name), notAdmitted("was not made for it")))
	}
	foreign := func(s *scene) person { return s.as("namesake") }
	out = append(out, submission("in the name of another namespace's agent of the same name", foreign, stampedBy(foreign),
		refusedBy("webhook", "may not submit actions in the name of agent agent", "kubectl edit agent agent", "{kind: ServiceAccount, namespace: default, name: bot}"), notAdmitted("was not made for it")))
	slices.SortFunc(out, byName)
	return out
}

func byName(a, b *attack) int { return strings.Compare(a.name, b.name) }

// applied is an action that is created by a patch.
func applied() *attack {
	a := submission("by server-side apply, with the owner as requester", func(s *scene) person { return s.agent }, nil, overwritten(""), notAdmitted("was not made for it"))
	a.attempt = func(ctx context.Context, s *scene) error {
		action := s.ask(readOrders)
		action.GenerateName, action.Name = "", "applied"
		action.Spec.Requester = s.stamp(ctx, s.agent)
		if s.mode != deleted { // there a policy would refuse it, as above
			action.Spec.Requester.Username = "olga"
		}
		s.state["created"], s.state["warnings"] = action, &warnings{}
		return applyPatch(ctx, s.agent, "kubectl", action, toJSON(map[string]any{"spec": action.Spec}))
	}
	return a
}

// stampedBy has the stamp of whoever submits.
func stampedBy(who func(*scene) person) func(context.Context, *scene, *v1alpha1.AgentAction) {
	return func(ctx context.Context, s *scene, action *v1alpha1.AgentAction) {
		action.Spec.Requester = s.stamp(ctx, who(s))
	}
}

// stamp is that of somebody, as right as they can make it: only the seal is made
// up.
func (s *scene) stamp(ctx context.Context, of person) *v1alpha1.Requester {
	GinkgoHelper()
	stamp := stampOf(ctx, of)
	stamp.Seal = s.madeUp()
	return stamp
}

// submission is an action that somebody submits.
func submission(name string, who func(*scene) person, change func(context.Context, *scene, *v1alpha1.AgentAction), up, deleted outcome) *attack {
	return &attack{
		number: 8, name: "submit " + name,
		prepare: func(ctx context.Context, s *scene) {
			halfway(ctx, s)
			s.state["namesake"] = lab.serviceAccount(ctx, "default", "bot")
		},
		attempt: func(ctx context.Context, s *scene) error {
			action := s.ask(readOrders)
			change(ctx, s, action)
			return s.create(ctx, who(s), action)
		},
		up: up, deleted: deleted,
	}
}

// create submits an action, and keeps it with the warnings that came with it.
func (s *scene) create(ctx context.Context, by person, action *v1alpha1.AgentAction) error {
	GinkgoHelper()
	heard := &warnings{}
	config := rest.CopyConfig(by.config)
	config.WarningHandler = heard
	c, err := client.New(config, client.Options{Scheme: lab.admin.Scheme(), Mapper: lab.admin.RESTMapper()})
	Expect(err).NotTo(HaveOccurred())
	s.state["created"], s.state["warnings"] = action, heard
	return c.Create(ctx, action)
}

// warnings are those of the API server.
type warnings struct {
	mu    sync.Mutex
	heard []string
}

// HandleWarningHeader notes one.
func (w *warnings) HandleWarningHeader(_ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, text)
}

// overwritten is an action that is the agent's, whatever it claimed; where it
// claimed to be somebody else's, with a warning that says so. It waits, as any.
func overwritten(claimed string) outcome {
	return without("overwritten", func(ctx context.Context, s *scene) {
		GinkgoHelper()
		action := s.kept("created")
		s.awaitDecision(ctx, action, v1alpha1.DecisionPending)
		truth, stamp := whoami(ctx, s.agent), action.Spec.Requester
		Expect(stamp.Username).To(Equal(truth.Username))
		Expect(stamp.UID).To(Equal(truth.UID))
		Expect(stamp.Groups).To(HaveLen(len(truth.Groups)))
		for i, group := range truth.Groups {
			Expect(stamp.Groups[i]).To(BeEquivalentTo(group))
		}
		Expect(stamp.Seal).NotTo(Equal(s.madeUp()))
		heard, found := s.state["warnings"].(*warnings)
		Expect(found).To(BeTrue())
		if claimed != "" {
			Expect(heard.heard).To(ContainElement(And(ContainSubstring("spec.requester is written by the operator"), ContainSubstring("you are "+truth.Username))))
		}
	})
}

// notAdmitted is an action that was stored, and is denied for want of a seal.
func notAdmitted(says ...string) outcome {
	return without("denied: NotAdmitted", func(ctx context.Context, s *scene) {
		GinkgoHelper()
		s.expectNotAdmitted(ctx, s.kept("created"), says...)
	})
}

func (s *scene) expectNotAdmitted(ctx context.Context, action *v1alpha1.AgentAction, says ...string) {
	GinkgoHelper()
	s.awaitDecision(ctx, action, v1alpha1.DecisionDenied)
	Expect(action.Status.Reason).To(BeEquivalentTo(v1alpha1.ReasonNotAdmitted))
	Expect(action.Status.ValidUntil).To(BeNil())
	for _, words := range append([]string{"nobody knows who submitted this action", "has to submit it again", "docs/security.md"}, says...) {
		Expect(action.Status.Message).To(ContainSubstring(words))
	}
}
