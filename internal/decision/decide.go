// SPDX-License-Identifier: Apache-2.0

package decision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/risk"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// ErrFinal says that the action already has a final decision.
var ErrFinal = errors.New("the decision is final and is not made again")

// DefaultValidity is how long an approval is good where no workflow says so.
const DefaultValidity = time.Hour

// decider carries one decision from step to step.
type decider struct {
	snap  *Snapshot
	req   *request.Request
	prior *v1alpha1.AgentActionStatus
	now   time.Time

	agent      *Agent
	assessment *risk.Assessment
	// globalAssessment leaves out what the namespace's own rules have added.
	globalAssessment *risk.Assessment
	matched          []rules.Match
	outcome          Outcome
	chain            approval.Chain
	given            approval.Input
	consent          []*approval.Workflow
	sources          []string // what decided, for the policy revision
}

// Decide makes the decision about a request.
//
// prior is the status written before, which holds the deadlines that were
// promised; nil is none. now is the time at which deadlines and the active
// windows of rules are judged; conditions see the time of submission.
//
// It fails with ErrFinal for a decision that is already final, and with the
// error of ctx when that ends in the middle; nothing may then be written.
// Everything else that goes wrong is part of the outcome: doubt denies or asks
// a human.
func Decide(ctx context.Context, snap *Snapshot, req *request.Request, prior *v1alpha1.AgentActionStatus, now time.Time) (*Outcome, error) {
	inquiry, err := Inquire(ctx, snap, req, prior, now)
	if err != nil {
		return nil, err
	}
	return inquiry.Outcome, nil
}

// Inquiry is a decision with what people are asked, for whoever has to judge
// whether one of them may answer.
type Inquiry struct {
	// Outcome is the decision.
	Outcome *Outcome
	// Chain is what has to be passed; the zero Chain where nobody is asked.
	Chain approval.Chain
	// Given is what Chain was evaluated with.
	Given approval.Input
	// Consent is the workflows that an approval rests on, or would: those of
	// Chain, or those that approve by themselves. None where no workflow was
	// asked. They must not be changed.
	Consent []*approval.Workflow
}

// Inquire is Decide for those who need to know who is asked. It fails as Decide does.
func Inquire(ctx context.Context, snap *Snapshot, req *request.Request, prior *v1alpha1.AgentActionStatus, now time.Time) (*Inquiry, error) {
	if prior == nil {
		prior = &v1alpha1.AgentActionStatus{}
	}
	if prior.Decision.IsFinal() {
		return nil, ErrFinal
	}
	d := &decider{snap: snap, req: req, prior: prior, now: now}
	if err := d.run(ctx); err != nil {
		return nil, err
	}
	if d.outcome.Decision.IsFinal() {
		d.outcome.NextCheck = time.Time{}
	}
	d.outcome.SpecDigest = req.Digest
	d.outcome.PolicyRevision = d.policyRevision()
	d.outcome.Message = clip(d.outcome.Message, maxMessage)
	return &Inquiry{Outcome: &d.outcome, Chain: d.chain, Given: d.given, Consent: d.consent}, nil
}

// Refuse is the outcome for a request that could not be read.
func Refuse(req *request.Request, err error) *Outcome {
	if req.Cancelled {
		return cancelled()
	}
	return &Outcome{
		Decision:   v1alpha1.DecisionDenied,
		Reason:     v1alpha1.ReasonInvalidRequest,
		Message:    clip(err.Error(), maxMessage),
		SpecDigest: req.Digest,
	}
}

// NotAdmitted is the outcome for a request of which nobody knows who made it;
// why says so, and what to do. Withdrawing it changes nothing: who could?
func NotAdmitted(req *request.Request, why string) *Outcome {
	return &Outcome{
		Decision:   v1alpha1.DecisionDenied,
		Reason:     v1alpha1.ReasonNotAdmitted,
		Message:    clip(why, maxMessage),
		SpecDigest: req.Digest,
	}
}

func cancelled() *Outcome {
	return &Outcome{
		Decision: v1alpha1.DecisionCancelled,
		Reason:   v1alpha1.ReasonCancelledByRequester,
		Message:  "withdrawn by the requester before it was decided",
	}
}

// run goes through the steps of design §4 in order.
func (d *decider) run(ctx context.Context) error {
	if d.req.Cancelled {
		d.outcome = *cancelled()
		return nil
	}
	d.agent = d.snap.Agent(d.req.Namespace, d.req.Agent)
	if d.agent == nil {
		d.deny(v1alpha1.ReasonAgentNotFound, fmt.Sprintf(
			"there is no agent %q in namespace %q; create it, or correct spec.agentRef.name in a new action", d.req.Agent, d.req.Namespace))
		return nil
	}
	d.source("agent", d.agent.object.Namespace, d.agent.object.Name, d.agent.revision)
	d.source("model", "", "", d.snap.Model.Revision())

	evaluator := d.assess()
	if no := d.agent.gate(d.req); no != nil {
		d.deny(no.reason, no.message)
		return nil
	}
	if err := d.applyRules(ctx, evaluator); err != nil {
		return err
	}
	if d.deniedByRule() || d.deniedByScore() {
		return nil
	}
	d.applyWorkflows()
	return nil
}

// assess scores the request as it stands, before any rule has adjusted it.
func (d *decider) assess() *rules.Evaluator {
	object := d.agent.object
	d.assessment = d.snap.Model.Assess(d.req, string(object.Spec.Environment))
	d.outcome.Risk = d.assessment.Status()
	own := d.snap.Namespace(d.req.Namespace)
	return rules.NewEvaluator(rules.Input{
		Request:    d.req,
		Agent:      object,
		Assessment: d.assessment,
		Namespace:  own.Object,
		Now:        d.now,
	}, d.snap.Namespace(v1alpha1.GlobalNamespace).Rules, own.Rules)
}

// deniedByScore holds the agent to its limit. A score that is only the mark of
// failed scoring says nothing about the limit: a human decides.
func (d *decider) deniedByScore() bool {
	a := d.assessment
	if a.Failure != "" || a.Score <= d.agent.maxScore {
		return false
	}
	d.deny(v1alpha1.ReasonRiskTooHigh, fmt.Sprintf(
		"risk score %s is above %s, the maxRiskScore of agent %s", a.Score, d.agent.maxScore, d.agent.object.Name))
	return true
}

func (d *decider) deny(reason, message string) {
	d.outcome.Decision = v1alpha1.DecisionDenied
	d.outcome.Reason = reason
	d.outcome.Message = message
}

func (d *decider) approve(reason, message string, validFor time.Duration) {
	d.outcome.Decision = v1alpha1.DecisionApproved
	d.outcome.Reason = reason
	d.outcome.Message = message
	d.outcome.ValidFor = validFor
}
