// SPDX-License-Identifier: Apache-2.0

package decision

import (
	"fmt"
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/approval"
	"github.com/ow-kai/ascend-operator/internal/rules"
)

// demand is why a human has to agree, and through which workflow. The order of
// the ranks says which reason is reported when there are several.
type demand struct {
	rank    int
	reason  string
	message string
	rule    *rules.Match
	// workflow is nil where none is named: then one chosen by risk will do, and
	// any approver where that asks nobody. One that approves by itself is no
	// answer to a demand, and is taken for none.
	workflow *approval.Workflow
	// local says that a rule of the namespace demands it, so that a workflow of
	// the namespace is an answer. To anything else only a global one is.
	local bool
}

// open says whether the demand names nobody who has to agree.
func (n demand) open() bool { return n.workflow == nil || n.workflow.AutoApprove() }

// The ranks of demands, most remarkable first.
const (
	rankScoring = iota
	rankRuleFailed
	rankException
	rankRule
	rankResource
	rankRisk
)

// applyWorkflows finds out who has to agree, and whether they have.
func (d *decider) applyWorkflows() {
	demands := d.demands()
	byRisk := d.byRisk(len(demands) > 0)
	workflows, platform := slices.Clone(byRisk.workflows), slices.Clone(byRisk.global)
	for _, need := range demands {
		if need.workflow != nil {
			workflows = append(workflows, need.workflow)
			if !need.local {
				platform = append(platform, need.workflow)
			}
		}
	}
	for _, w := range workflows {
		d.source("workflow", w.Key().Namespace, w.Key().Name, w.Revision())
	}
	if unanswered(demands, workflows, platform) || byRisk.none && len(workflows) == 0 {
		workflows = append(workflows, approval.Missing(approval.Key{}))
	}
	chain := approval.NewChain(workflows)
	if chain.Empty() {
		d.consent = byRisk.workflows
		d.approveByPolicy(byRisk)
		return
	}
	d.consent = chain.Workflows()
	d.ask(chain, d.why(demands, byRisk, chain), validity(chain, platform))
}

// unanswered says whether somebody is demanded and no workflow asks anybody
// who is an answer: what global policy demands is granted by those whom global
// policy has chosen, not by people of the namespace's choice, be they of a
// global workflow that was made for something else.
func unanswered(demands []demand, workflows, platform []*approval.Workflow) bool {
	return slices.ContainsFunc(demands, func(need demand) bool {
		return need.open() && !asksPeople(platform) && (!need.local || !asksPeople(workflows))
	})
}

func asksPeople(workflows []*approval.Workflow) bool {
	return slices.ContainsFunc(workflows, func(w *approval.Workflow) bool { return !w.AutoApprove() })
}

// validity is how long an approval through the chain is good. Where the
// platform's choice asks nobody, it is no longer than that choice would have
// made it by itself.
func validity(chain approval.Chain, platform []*approval.Workflow) time.Duration {
	valid := chain.ValidFor()
	if asksPeople(platform) {
		return valid
	}
	for _, w := range platform {
		valid = min(valid, w.Validity())
	}
	return valid
}

// demands are what rules and failures ask for beyond the choice by risk.
func (d *decider) demands() []demand {
	var out []demand
	if failure := d.assessment.Failure; failure != "" {
		out = append(out, demand{rank: rankScoring, reason: v1alpha1.ReasonScoringFailed,
			message: "the risk could not be scored (" + failure + "), so a human has to agree"})
	}
	for i := range d.matched {
		if need, asks := d.ruleDemand(&d.matched[i]); asks {
			out = append(out, need)
		}
	}
	if d.agent.mayTouchBlocked(d.req) {
		out = append(out, demand{rank: rankResource, reason: v1alpha1.ReasonResourceUnknown, message: fmt.Sprintf(
			"agent %s has blocked resources and the action does not say which resource it touches, so a human has to agree; name it in spec.resource", d.agent.object.Name)})
	}
	return out
}

func (d *decider) ruleDemand(m *rules.Match) (demand, bool) {
	if !m.Enforced() {
		return demand{}, false
	}
	spec, home := m.Rule.Spec(), m.Rule.Key().Namespace
	switch {
	case m.Effect == v1alpha1.EffectDeny: // excepted, or it would have denied
		need := demand{rank: rankException, reason: v1alpha1.ReasonExceptionRequested, rule: m, local: !m.Rule.Global()}
		need.message = "an exception was requested from: " + ruleReason(*m, "rule %q, which denies")
		need.workflow = d.snap.workflow(home, string(spec.ExceptionWorkflowRef.Name))
		return need, true
	case m.Effect != v1alpha1.EffectRequireApproval:
		return demand{}, false
	}
	need := demand{rank: rankRule, reason: v1alpha1.ReasonApprovalRequired, rule: m, local: !m.Rule.Global()}
	need.message = ruleReason(*m, "rule %q requires approval")
	if m.Err != nil {
		need.rank, need.reason = rankRuleFailed, v1alpha1.ReasonRuleFailed
		need.message = fmt.Sprintf("rule %q covers this action and failed, so a human has to agree: %v", m.Rule.Title(), m.Err)
	}
	if spec.WorkflowRef != nil {
		need.workflow = d.snap.workflow(home, string(spec.WorkflowRef.Name))
	}
	return need, true
}

// riskChoice is what the global policy and the namespace's chose by risk.
type riskChoice struct {
	workflows []*approval.Workflow
	global    []*approval.Workflow // those of workflows that the global policy chose
	allowed   *rules.Match         // the Allow rule that spared the namespace's own choice
	none      bool                 // nobody chose anything
}

// byRisk takes both choices: whoever has passed the global one and the
// namespace's has passed the stricter. An Allow spares the namespace's, never
// the global one, and has no effect beside a demand; a global workflow may let
// itself be replaced.
func (d *decider) byRisk(demanded bool) riskChoice {
	criteria := approval.Criteria{
		Facts: rules.FactsOf(d.req, d.agent.object, d.assessment),
		Score: d.assessment.Score,
	}
	// What a namespace has added to the score may add to what is asked of it,
	// and takes nothing away.
	asGlobal := criteria
	asGlobal.Score = d.globalAssessment.Score
	var choice riskChoice
	if !demanded {
		choice.allowed = d.allowing()
	}
	set := d.snap.Namespace(v1alpha1.GlobalNamespace).Workflows
	global := set.Choose(criteria)
	if asGlobal.Score != criteria.Score {
		global = slices.Concat(global, set.Choose(asGlobal))
	}
	var local []*approval.Workflow
	if choice.allowed == nil {
		local = d.localChoice(criteria)
	}
	if len(local) > 0 {
		global = slices.DeleteFunc(slices.Clone(global), (*approval.Workflow).AllowNamespaceOverride)
	}
	choice.global = global
	choice.workflows = slices.Concat(global, local)
	choice.none = len(choice.workflows) == 0 && choice.allowed == nil
	return choice
}

// allowing is the first enforced Allow that matched, or nil.
func (d *decider) allowing() *rules.Match {
	for i := range d.matched {
		if m := &d.matched[i]; m.Enforced() && m.Effect == v1alpha1.EffectAllow {
			return m
		}
	}
	return nil
}

// localChoice is the agent's own workflow, otherwise the namespace's choice by
// risk. The global namespace has no choice beside the global one.
func (d *decider) localChoice(criteria approval.Criteria) []*approval.Workflow {
	if ref := d.agent.object.Spec.WorkflowRef; ref != nil {
		return []*approval.Workflow{d.snap.workflow(d.req.Namespace, string(ref.Name))}
	}
	if d.req.Namespace == v1alpha1.GlobalNamespace {
		return nil
	}
	return d.snap.Namespace(d.req.Namespace).Workflows.Choose(criteria)
}

// why is the demand to report: the most remarkable, or the risk alone.
func (d *decider) why(demands []demand, byRisk riskChoice, chain approval.Chain) demand {
	risk := demand{rank: rankRisk, reason: v1alpha1.ReasonApprovalRequired,
		message: fmt.Sprintf("%s risk (%s) requires approval", d.assessment.Score.Level(), d.assessment.Score)}
	if byRisk.none && len(demands) == 0 {
		risk.reason = v1alpha1.ReasonNoWorkflow
		risk.message = fmt.Sprintf("no ApprovalWorkflow is set up for %s risk (%s), so one approver has to agree; create a workflow whose selector covers it",
			d.assessment.Score.Level(), d.assessment.Score)
	}
	best := risk
	for _, need := range demands {
		if need.rank < best.rank {
			best = need
		}
	}
	if missing := chain.MissingWorkflows(); len(missing) > 0 && best.rank > rankException {
		best.reason = v1alpha1.ReasonWorkflowNotFound
		best.message += fmt.Sprintf("; workflow %s does not exist, so one approver with the verb approve on that name has to agree", missing[0])
	}
	return best
}

// approveByPolicy approves what no human has to see.
func (d *decider) approveByPolicy(choice riskChoice) {
	valid := DefaultValidity
	for i, w := range choice.workflows {
		if v := w.Validity(); i == 0 || v < valid {
			valid = v
		}
	}
	if choice.allowed != nil && len(choice.workflows) == 0 {
		d.approve(v1alpha1.ReasonRuleAllowed, ruleReason(*choice.allowed, "allowed by rule %q"), valid)
		d.decidedBy(*choice.allowed)
		return
	}
	d.approve(v1alpha1.ReasonAutoApproved, fmt.Sprintf("%s risk (%s) is approved by workflow %s",
		d.assessment.Score.Level(), d.assessment.Score, choice.workflows[0].Key()), valid)
}

// ask counts the approvals given so far and says what is still missing.
func (d *decider) ask(chain approval.Chain, why demand, valid time.Duration) {
	object := d.agent.object
	d.chain = chain
	d.given = approval.Input{
		Now:       d.now,
		Prior:     d.prior.Approval,
		Digest:    d.req.Digest,
		Approvals: d.req.Approvals,
		Parties: approval.Parties{
			Requester:      d.req.Requester.Username,
			RequesterUID:   d.req.Requester.UID,
			AgentNamespace: object.Namespace,
			Subjects:       object.Spec.Subjects,
			Owner:          object.Spec.Owner,
		},
	}
	state := chain.Evaluate(d.given)
	d.outcome.Approval = &state.Status
	if why.rule != nil {
		d.decidedBy(*why.rule)
	}
	switch state.Result {
	case approval.Granted:
		reason := v1alpha1.ReasonApprovalGranted
		if state.Overridden {
			reason = v1alpha1.ReasonEmergencyOverride
		}
		d.approve(reason, state.Message, valid)
	case approval.Denied:
		d.deny(v1alpha1.ReasonApprovalDenied, state.Message)
	case approval.TimedOut:
		d.timeOut(state)
	case approval.Waiting:
		d.wait(why, state)
	default: // a result this package does not know must never approve
		d.deny(v1alpha1.ReasonApprovalDenied, fmt.Sprintf("unknown approval result %v", state.Result))
	}
}

func (d *decider) wait(why demand, state approval.State) {
	d.outcome.Decision = v1alpha1.DecisionPending
	d.outcome.Reason = why.reason
	d.outcome.Message = why.message
	if state.Obstacle != "" {
		d.outcome.Message += "; " + state.Obstacle
	}
	d.outcome.NextCheck = earliest(d.outcome.NextCheck, state.NextChange)
}

func (d *decider) timeOut(state approval.State) {
	d.outcome.Reason = v1alpha1.ReasonApprovalTimeout
	d.outcome.Message = state.Message
	d.outcome.Decision = v1alpha1.DecisionDenied
	if state.OnTimeout == v1alpha1.OnTimeoutTimedOut {
		d.outcome.Decision = v1alpha1.DecisionTimedOut
	}
}
