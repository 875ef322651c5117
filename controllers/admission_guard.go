// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=mutatingwebhookconfigurations,resourceNames=ascend-mutating-webhook-configuration,verbs=get
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingwebhookconfigurations,resourceNames=ascend-validating-webhook-configuration,verbs=get
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingadmissionpolicies;validatingadmissionpolicybindings,resourceNames=ascend-agentaction-identity;ascend-agentaction-immutability;ascend-agentaction-deletion;ascend-status;ascend-audit-anchors,verbs=get

// GuardInterval is the time between two looks at the configuration of admission.
const GuardInterval = 10 * time.Second

// lookTimeout bounds one read.
const lookTimeout = 5 * time.Second

// repair is how whoever owns the configuration puts it right again.
const repair = "kubectl apply --server-side --force-conflicts -k config/default"

// AdmissionGuard watches admission itself: that the webhook configurations, the
// admission policies and their bindings in the cluster hold what was shipped.
// What it finds is told by a metric, the log, the audit trail and the Ready
// condition of every Agent, and while the mutating configuration has a gap, no
// action is approved through people, see Look. It repairs nothing, for the
// configuration belongs to whoever installed it, and it does not touch the
// readiness of the process: a webhook that is not served would make things worse.
// It is a manager.Runnable of the leader.
type AdmissionGuard struct {
	// Shipped is the configuration as it is installed.
	Shipped []*unstructured.Unstructured
	// Live reads the configuration from the API server.
	Live client.Reader
	// Audit keeps the record of a change for the worse or the better.
	Audit audit.Recorder
	// Clock tells the time.
	Clock clock.Clock
	// Interval is the time between two looks; GuardInterval when zero.
	Interval time.Duration
	// Settle is how long after a gap verdicts still are void; the constant when
	// zero.
	Settle time.Duration
	// Memory keeps what has to outlive the process. Nil: it remembers while it
	// runs, and voids nothing.
	Memory GuardMemory
	// Hosts are the names and addresses, without port, by which webhooks may be
	// called by URL in place of the Service.
	Hosts []string

	changed chan struct{} // has an element when Gaps has changed
	voided  chan struct{} // has an element when verdicts have become void
	looked  chan struct{} // closed once the first look is over

	mu   sync.Mutex
	gaps string

	gap gap

	// Of the one goroutine that looks.
	findings map[string]finding // by kind and name
	logged   string
	recorded string
}

// NewAdmissionGuard returns a guard of this configuration, which Setup completes.
func NewAdmissionGuard(shipped ...*unstructured.Unstructured) *AdmissionGuard {
	return &AdmissionGuard{
		Shipped:  shipped,
		changed:  make(chan struct{}, 1),
		voided:   make(chan struct{}, 1),
		looked:   make(chan struct{}),
		findings: map[string]finding{},
	}
}

// setupWithManager gives the guard what it lacks and registers it.
func (g *AdmissionGuard) setupWithManager(mgr ctrl.Manager, options Options) error {
	if g == nil {
		return nil
	}
	if g.Live == nil {
		g.Live = mgr.GetAPIReader()
	}
	if g.Audit == nil {
		g.Audit = options.Audit
	}
	if g.Clock == nil {
		g.Clock = options.Clock
	}
	if g.Memory == nil {
		g.Memory = &forgetful{}
	}
	return mgr.Add(g)
}

// NeedLeaderElection is true: one replica is enough to raise the alarm.
func (g *AdmissionGuard) NeedLeaderElection() bool { return true }

// Gaps says to people how admission holds less than was shipped, and how to
// repair it; empty when it holds, when no look was possible yet, and of nil.
func (g *AdmissionGuard) Gaps() string {
	if g == nil {
		return ""
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.gaps
}

// Start looks until ctx ends.
func (g *AdmissionGuard) Start(ctx context.Context) error {
	g.look(ctx)
	close(g.looked)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-g.Clock.After(cmp.Or(g.Interval, GuardInterval)):
			g.look(ctx)
		}
	}
}

// look examines everything once, and tells what has changed.
func (g *AdmissionGuard) look(ctx context.Context) {
	var weak, all []string
	mutating := g.mutating()
	for _, shipped := range g.Shipped {
		key := shipped.GetKind() + "/" + shipped.GetName()
		var found finding
		var err error
		if shipped == mutating {
			found, err = g.watch(ctx, shipped)
		} else {
			found, _, err = g.examine(ctx, shipped)
		}
		if err != nil {
			// Not to know is not to find: the alarm stays as it is.
			if ctx.Err() == nil {
				log.FromContext(ctx).Error(err, "Cannot look at the configuration of admission; trying again", "configuration", key)
			}
			found = g.findings[key]
		}
		g.findings[key] = found
		enforced := 1.0
		if len(found.weak)+len(found.shut) > 0 {
			enforced = 0
		}
		admissionEnforced.WithLabelValues(key).Set(enforced)
		if len(found.weak) > 0 {
			weak = append(weak, key+": "+strings.Join(found.weak, "; "))
		}
		if both := slices.Concat(found.weak, found.shut); len(both) > 0 {
			all = append(all, key+": "+strings.Join(both, "; "))
		}
	}
	g.log(ctx, describeGaps(all))
	g.publish(describeGaps(weak))
	g.record(ctx, describeGaps(weak))
}

// describeGaps is empty when there are none.
func describeGaps(gaps []string) string {
	if len(gaps) == 0 {
		return ""
	}
	return "admission is not enforced as shipped: " + strings.Join(gaps, "; ") +
		". Repair it with: " + repair + "; what somebody added that this does not take back goes when the object is deleted first"
}

// examine compares one object with that in the cluster, and returns it; nil
// where it could not be had.
func (g *AdmissionGuard) examine(ctx context.Context, shipped *unstructured.Unstructured) (finding, *unstructured.Unstructured, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(shipped.GroupVersionKind())
	switch err := g.Live.Get(ctx, client.ObjectKeyFromObject(shipped), live); {
	case apierrors.IsNotFound(err), apimeta.IsNoMatchError(err):
		live = nil
	case apierrors.IsForbidden(err):
		return finding{weak: []string{"the operator may not read it, so nobody knows; grant it the verb get"}}, nil, nil
	case err != nil:
		return finding{}, nil, fmt.Errorf("read %s %s: %w", shipped.GetKind(), shipped.GetName(), err)
	}
	found, err := compare(shipped, live, g.Hosts)
	return found, live, err
}

// log says what is wrong whenever that changes.
func (g *AdmissionGuard) log(ctx context.Context, wrong string) {
	switch {
	case wrong == g.logged:
	case wrong != "":
		log.FromContext(ctx).Error(nil, "Admission is not enforced", "gaps", wrong)
	default:
		log.FromContext(ctx).Info("Admission is enforced again")
	}
	g.logged = wrong
}

// publish gives the state to Gaps, and wakes who waits for a change.
func (g *AdmissionGuard) publish(gaps string) {
	g.mu.Lock()
	before := g.gaps
	g.gaps = gaps
	g.mu.Unlock()
	if before == gaps {
		return
	}
	select {
	case g.changed <- struct{}{}:
	default: // who waits has not taken the last one yet
	}
}

// record keeps the change in the audit trail. Where that fails it is tried
// again at the next look.
func (g *AdmissionGuard) record(ctx context.Context, gaps string) {
	if gaps == g.recorded {
		return
	}
	record := audit.Record{
		Time: g.Clock.Now(), Event: audit.EventNotEnforced,
		Reason: v1alpha1.ReasonAdmissionNotEnforced, Message: gaps,
	}
	if gaps == "" {
		record.Event, record.Reason, record.Message = audit.EventEnforced, v1alpha1.ReasonReady, "admission is enforced again as it was shipped"
	}
	if err := g.Audit.Append(ctx, record); err != nil {
		log.FromContext(ctx).Error(err, "Cannot record the state of admission; trying again")
		return
	}
	g.recorded = gaps
}
