// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func init() { attacks = append(attacks, selfAttacks()...) }

// partial has the stage and the override name those whose own action it is,
// and RBAC grants them every verb.
func partial(ctx context.Context, s *scene) {
	GinkgoHelper()
	s.asking(ctx, `
kind: ApprovalWorkflow
spec:
  selector: {riskLevels: [Low, Medium, High, Critical]}
  stages:
  - name: review
    required: 2
    approvers:
      users: [alice, sam, olga]
      groups: [security, bot-makers]
      serviceAccounts: [{namespace: `+s.namespace+`, name: bot}]
  emergencyOverride:
    required: 2
    approvers:
      users: [sam, olga]
      groups: [emergency, bot-makers]
      serviceAccounts: [{namespace: `+s.namespace+`, name: bot}]
`)
	for _, role := range []string{"ascend-approver", "ascend-emergency-approver"} {
		s.grant(ctx, role, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: "system:authenticated"})
	}
	waiting(ctx, s)
}

// An action is decided by somebody else.
func selfAttacks() []*attack {
	bot := func(s *scene) person { return s.agent }
	member := func(name string, more ...string) func(*scene) person {
		return func(*scene) person { return lab.user(name, append([]string{"security", "emergency"}, more...)...) }
	}
	const (
		submitted = "submitted this action"
		subject   = "may submit actions as this agent"
		belongs   = "belongs to a group that may submit actions as this agent"
		owns      = "owns this agent"
	)
	account := func(s *scene, a *v1alpha1.Approval) { a.As = "serviceaccount:" + s.namespace + "/bot" }
	plain := func(*scene, *v1alpha1.Approval) {}
	denies := func(_ *scene, a *v1alpha1.Approval) { deny(a) }
	overrides := func(_ *scene, a *v1alpha1.Approval) { override(a) }
	return []*attack{
		self("the requester approves", bot, submitted, account),
		self("the requester denies", bot, submitted, func(s *scene, a *v1alpha1.Approval) { deny(a); account(s, a) }),
		self("the requester overrides", bot, submitted, func(s *scene, a *v1alpha1.Approval) { override(a); account(s, a) }),
		self("the requester approves, in capitals", func(s *scene) person {
			return lab.user("SYSTEM:ServiceAccount:"+s.namespace+":BOT", "security")
		}, submitted, plain),
		self("another subject of the agent approves", member("sam"), subject, func(_ *scene, a *v1alpha1.Approval) { a.As = "user:sam" }),
		self("another subject of the agent approves as of security", member("sam"), subject, plain),
		self("another subject of the agent denies", member("sam"), subject, denies),
		self("another subject of the agent overrides", member("sam"), subject, overrides),
		self("a member of a group that is a subject approves", member("mark", "bot-makers"), belongs, plain),
		self("a member of a group that is a subject approves as of that group", member("mark", "bot-makers"), belongs,
			func(_ *scene, a *v1alpha1.Approval) { a.As = "group:bot-makers" }),
		self("a member of a group that is a subject, in capitals, approves", member("mark", "Bot-Makers"), belongs, plain),
		self("a member of a group that is a subject denies", member("mark", "bot-makers"), belongs, denies),
		self("a member of a group that is a subject overrides", member("mark", "bot-makers"), belongs, overrides),
		self("the owner approves", member("olga"), owns, func(_ *scene, a *v1alpha1.Approval) { a.As = "user:olga" }),
		self("the owner approves, as Olga", member("Olga"), owns, plain),
		self("the owner approves, with a blank before the name", member(" olga"), owns, plain),
		self("the owner denies", member("olga"), owns, denies),
		self("the owner overrides", member("olga"), owns, overrides),
		self("the owner overrides, as OLGA", member("OLGA"), owns, overrides),
	}
}

// self is a verdict on what is somebody's own.
func self(name string, who func(*scene) person, why string, change func(*scene, *v1alpha1.Approval)) *attack {
	return &attack{
		number: 2, name: name, prepare: partial,
		attempt: func(ctx context.Context, s *scene) error {
			return s.write(ctx, who(s), func(a *v1alpha1.Approval) { change(s, a) })
		},
		up:      selfRefused(name, why),
		deleted: uncounted(),
	}
}

func selfRefused(name, why string) outcome {
	says := []string{why, "does not allow self-approval"}
	if name == "the requester denies" {
		return refusedBy("webhook", append(says, "To withdraw it", "kubectl patch agentaction", `{"spec":{"cancelled":true}}`)...)
	}
	return refusedBy("webhook", append(says, "somebody else has to decide", "ascend explain")...)
}
