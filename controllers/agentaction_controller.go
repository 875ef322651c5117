// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/policy"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/voucher"
)

const (
	// watchLag is how long to wait for a watch that has not yet delivered what
	// the API server already has.
	watchLag = 50 * time.Millisecond
	// firstRetry and lastRetry bound the wait after a fault, such as an API
	// server or an audit sink that is away. An action that waits is looked at
	// again soon after the fault has gone.
	firstRetry = 50 * time.Millisecond
	lastRetry  = 15 * time.Second
	// writeTimeout bounds the status write. It goes on when the operator is
	// told to stop: once the record is made, what it tells of shall come true.
	writeTimeout = 10 * time.Second
	// longestNap bounds how long an action sleeps towards its deadline, so that
	// a clock that was set is noticed.
	longestNap = 10 * time.Minute
)

// errWatchBehind says that the cache does not have yet what the API server has.
var errWatchBehind = errors.New("the watch has not delivered this object yet")

// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=agentactions,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=governance.ascendowkai.com,resources=agentactions/status,verbs=update
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// AgentActionReconciler decides about actions.
type AgentActionReconciler struct {
	// Client reads from the cache, which holds undecided actions only, and writes.
	Client client.Client
	// Live reads from the API server, where the cache may be behind.
	Live client.Reader
	// Policy gives the snapshot that decides.
	Policy *policy.Store
	// Feed says when policy has been read completely.
	Feed *policy.Feed
	// Voucher says whom and what to believe.
	Voucher voucher.Voucher
	// Audit keeps the record of a decision before the decision is written.
	Audit audit.Recorder
	// Events tells the story to kubectl describe.
	Events events.EventRecorder
	// Tally counts for the agents' status.
	Tally *AgentTally
	// Clock tells the time.
	Clock clock.PassiveClock
	// ApprovalURL is the template of status.approvalURL, in which {namespace}
	// and {name} are replaced. Empty: no URL.
	ApprovalURL string
	// Workers is how many actions are decided at once.
	Workers int
	// Guard says, before people's approval takes effect, whether admission is
	// enforced; nil: nobody looks.
	Guard *AdmissionGuard
	// Outbox tells subscriptions of decisions; nil tells nobody.
	Outbox *Outbox

	ledger *ledger
}

// SetupWithManager registers the reconciler. Its workers start when policy has
// been read completely. Its sources start only on the leader: a queue nobody
// works off would hold the key of every action there ever was.
func (r *AgentActionReconciler) SetupWithManager(mgr ctrl.Manager) error {
	interesting := predicate.Or[client.Object](
		predicate.GenerationChangedPredicate{},
		predicate.LabelChangedPredicate{},
		predicate.AnnotationChangedPredicate{},
	)
	r.ledger = newLedger(r.Audit)
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.AgentAction{}, builder.WithPredicates(interesting)).
		WatchesRawSource(&policyChanges{store: r.Policy, feed: r.Feed, actions: r.Client}).
		WatchesRawSource(r.Guard.voids(r.Client)).
		WatchesRawSource(r.Outbox.source()).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: r.Workers,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[ctrl.Request](firstRetry, lastRetry),
		}).
		Complete(r)
}

// Reconcile brings one action a step further.
func (r *AgentActionReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var action v1alpha1.AgentAction // shared with the cache, so never changed
	if err := r.Client.Get(ctx, req.NamespacedName, &action, client.UnsafeDisableDeepCopy); err != nil {
		if apierrors.IsNotFound(err) { // decided or deleted
			r.ledger.forget(req.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if action.Status.Decision.IsFinal() || !action.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	if r.ledger.behind(&action) {
		return ctrl.Result{RequeueAfter: watchLag}, nil
	}
	now := r.Clock.Now()
	made, err := r.decide(ctx, &action, now)
	if errors.Is(err, errWatchBehind) {
		return ctrl.Result{RequeueAfter: watchLag}, nil
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	change := transition{
		action:  &action,
		request: made.request,
		vouched: made.vouched,
		before:  &action.Status,
		after:   r.statusFor(&action, made.outcome, now),
		policy:  made.policy,
	}
	r.Outbox.enlist(change, now)
	return r.apply(ctx, change, made.outcome.NextCheck, now)
}

// judgement is a decision with what it was made about, and by.
type judgement struct {
	request *request.Request // as vouched for
	vouched voucher.Vouched
	outcome *decision.Outcome
	policy  *decision.Snapshot // nil where policy was not asked
}

// decide gathers what the decision needs and makes it.
func (r *AgentActionReconciler) decide(ctx context.Context, action *v1alpha1.AgentAction, now time.Time) (*judgement, error) {
	vouched, err := r.vouch(action)
	if err != nil {
		return nil, err
	}
	made, err := r.judge(ctx, action, vouched, now)
	if err != nil || r.Guard == nil || !throughPeople(made.outcome) {
		return made, err
	}
	return r.sure(ctx, action, now)
}

func (r *AgentActionReconciler) vouch(action *v1alpha1.AgentAction) (voucher.Vouched, error) {
	vouched, err := r.Voucher.Vouch(action)
	if err != nil {
		return vouched, fmt.Errorf("find out who asks and who has agreed: %w", err)
	}
	return vouched, nil
}

// judge makes the decision by what was vouched for.
func (r *AgentActionReconciler) judge(ctx context.Context, action *v1alpha1.AgentAction, vouched voucher.Vouched, now time.Time) (*judgement, error) {
	req, err := request.Read(action, vouched.Requester, vouched.Approvals)
	if vouched.Refusal != "" { // readable or not
		return &judgement{request: req, vouched: vouched, outcome: decision.NotAdmitted(req, vouched.Refusal)}, nil
	}
	if err != nil {
		return &judgement{request: req, vouched: vouched, outcome: decision.Refuse(req, err)}, nil
	}
	snapshot := r.Policy.Snapshot()
	if snapshot.Namespace(req.Namespace).Object == nil {
		// It exists, for the action is in it. Rules that read its labels would
		// take it for one that has none.
		return nil, errWatchBehind
	}
	outcome, err := decision.Decide(ctx, snapshot, req, &action.Status, now)
	if err != nil {
		return nil, fmt.Errorf("decide: %w", err)
	}
	made := &judgement{request: req, vouched: vouched, outcome: outcome, policy: snapshot}
	listForged(outcome.Approval, vouched.Forged)
	if outcome.Reason == v1alpha1.ReasonAgentNotFound {
		return made, r.confirmNoAgent(ctx, types.NamespacedName{Namespace: req.Namespace, Name: req.Agent})
	}
	return made, nil
}

// confirmNoAgent asks the API server itself before an action is denied for
// want of an agent: one created a moment before its first action may not have
// reached the cache.
func (r *AgentActionReconciler) confirmNoAgent(ctx context.Context, key types.NamespacedName) error {
	err := r.Live.Get(ctx, key, &v1alpha1.Agent{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("look for agent %s: %w", key, err)
	default:
		return errWatchBehind
	}
}

// apply brings a change to the cluster: its records first, then one write, then
// what nothing depends on.
func (r *AgentActionReconciler) apply(ctx context.Context, change transition, nextCheck, now time.Time) (ctrl.Result, error) {
	action := change.action
	if equality.Semantic.DeepEqual(change.before, change.after) {
		return r.wakeAt(nextCheck), nil
	}
	if records := change.records(now); len(records) > 0 {
		if err := r.ledger.record(ctx, action, records...); err != nil {
			return ctrl.Result{}, err
		}
	}
	if err := r.write(ctx, change); err != nil {
		if done, err := r.answerWasLost(ctx, change, err); err != nil || !done {
			return r.afterFailedWrite(ctx, action, err)
		}
	}
	r.ledger.written(action)
	r.report(change, now)
	return r.wakeAt(nextCheck), nil
}

// write makes the one write. What the API server answers is not kept: the
// watch brings it.
func (r *AgentActionReconciler) write(ctx context.Context, change transition) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	next := change.action.DeepCopy() // the answer is decoded into it
	next.Status = *change.after
	err := r.Client.Status().Update(ctx, next)
	r.Outbox.wrote(change, err)
	return err
}

// answerWasLost says whether a conflict is with this operator's own write, made
// before, whose answer did not arrive: the API server has what was to be
// written. Only the operator may write status, so nobody else has said so. The
// error is the refusal, or that of finding out.
func (r *AgentActionReconciler) answerWasLost(ctx context.Context, change transition, refusal error) (bool, error) {
	if !apierrors.IsConflict(refusal) {
		return false, refusal
	}
	var live v1alpha1.AgentAction
	err := r.Live.Get(ctx, client.ObjectKeyFromObject(change.action), &live)
	if apierrors.IsNotFound(err) {
		return false, refusal
	}
	if err != nil {
		return false, fmt.Errorf("find out what became of a write: %w", err)
	}
	told := transition{before: &live.Status, after: change.after}.events()
	if live.UID != change.action.UID || len(told) > 0 {
		return false, refusal
	}
	return true, nil
}

// afterFailedWrite goes on when somebody else was faster: what they wrote
// decides what is left to do. Everything else is tried again.
func (r *AgentActionReconciler) afterFailedWrite(ctx context.Context, action *v1alpha1.AgentAction, err error) (ctrl.Result, error) {
	if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		return ctrl.Result{}, fmt.Errorf("write status: %w", err)
	}
	if err := r.ledger.refused(ctx, action, r.Clock.Now(), err); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: watchLag}, nil
}

// wakeAt comes back at a moment, not before, or on the way to it; the zero
// time never.
func (r *AgentActionReconciler) wakeAt(moment time.Time) ctrl.Result {
	if moment.IsZero() {
		return ctrl.Result{}
	}
	return ctrl.Result{RequeueAfter: min(max(moment.Sub(r.Clock.Now()), time.Millisecond), longestNap)}
}
