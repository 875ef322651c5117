// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	audittrail "github.com/ow-kai/ascend-operator/internal/trail"
	"github.com/ow-kai/ascend-operator/internal/trail/schema/schematest"
	"github.com/ow-kai/ascend-operator/test/envtest"
)

const (
	randomKills = 200
	// longestLife is how long an operator lives at most between two kills, after
	// it has become ready. It is long enough for some actions, and short enough to
	// meet each step of them.
	longestLife = 400 * time.Millisecond
	// actionsASecond bounds the load, so that what is left at the end is worked off soon.
	pause = 15 * time.Millisecond
	// settled is how long the last operator has for what is left.
	settled = 3 * time.Minute
)

// take counts a delivery.
func (r *receiver) take(body []byte) {
	var event heard
	if json.Unmarshal(body, &event) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken[event]++
}

func (r *receiver) heard(event v1alpha1.EventType, subject string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken[heard{event, subject}]
}

// crashes are one operator after the other, with the same addresses and the
// same audit log.
type crashes struct {
	flags []string
	audit string
	to    *receiver
	load  *load
}

// start starts an operator; crashAt as asManagerThatDies has it, empty for none.
func (c *crashes) start(ctx context.Context, crashAt string) *process {
	GinkgoHelper()
	return startProcessWith(ctx, []string{asManagerThatDies + "=" + crashAt}, c.flags...)
}

// load are people and agents at work, who try again while the operator is away.
type load struct {
	stop      context.CancelFunc
	done      sync.WaitGroup
	next      atomic.Int64
	submitted sync.Map // name → struct{}
}

func startLoad(ctx context.Context) *load {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(ctx)
	l := &load{stop: cancel}
	alice := as(crashApprover)
	l.done.Go(func() { l.submit(ctx) })
	l.done.Go(func() { l.approve(ctx, alice) })
	l.done.Go(func() { l.report(ctx) })
	return l
}

// submit submits action after action, each until the API server has it.
func (l *load) submit(ctx context.Context) {
	types := []string{typeApproved, typeAsked, typeDenied}
	for ctx.Err() == nil {
		n := int(l.next.Add(1))
		action := actionOf(types[n%len(types)], n)
		for ctx.Err() == nil {
			err := api.Create(ctx, action.DeepCopy())
			if err == nil || client.IgnoreAlreadyExists(err) == nil {
				l.submitted.Store(action.Name, struct{}{})
				break
			}
			nap(ctx, pause)
		}
		nap(ctx, pause)
	}
}

// approve approves what waits.
func (l *load) approve(ctx context.Context, alice client.Client) {
	for ctx.Err() == nil {
		for _, action := range actionsWith(ctx, "status.decision", string(v1alpha1.DecisionPending)) {
			_ = approve(ctx, alice, &action) // refused while the operator is away: the next look finds it again
		}
		nap(ctx, 10*pause)
	}
}

// report reports the outcome of what was approved.
func (l *load) report(ctx context.Context) {
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"outcome":{"result":"Succeeded"}}}`))
	for ctx.Err() == nil {
		for _, action := range actionsWith(ctx, "status.decision", string(v1alpha1.DecisionApproved)) {
			if action.Spec.Outcome == nil {
				_ = api.Patch(ctx, &action, patch) // as above
			}
		}
		nap(ctx, 20*pause)
	}
}

func nap(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// actionsWith are the actions of the world with that value; none while the API
// server cannot be asked.
func actionsWith(ctx context.Context, field, value string) []v1alpha1.AgentAction {
	var list v1alpha1.AgentActionList
	options := []client.ListOption{client.InNamespace(crashNamespace)}
	if field != "" {
		options = append(options, client.MatchingFields{field: value})
	}
	if api.List(ctx, &list, options...) != nil {
		return nil
	}
	return list.Items
}

// end stops the load and waits until everything is decided, approved as far as
// somebody waits, and told.
func (c *crashes) end(ctx context.Context) []v1alpha1.AgentAction {
	GinkgoHelper()
	alice := as(crashApprover)
	c.load.stop()
	c.load.done.Wait()
	var all []v1alpha1.AgentAction
	Eventually(func() []string {
		all = actionsWith(ctx, "", "")
		var left []string
		for i := range all {
			if why := unsettled(&all[i]); why != "" {
				left = append(left, all[i].Name+" "+why)
			}
			if all[i].Status.Decision == v1alpha1.DecisionPending {
				if err := approve(ctx, alice, all[i].DeepCopy()); err != nil {
					left = append(left, err.Error())
				}
			}
		}
		return left
	}).WithTimeout(settled).WithPolling(100 * time.Millisecond).Should(BeEmpty())
	Expect(all).NotTo(BeEmpty())
	return all
}

// unsettled says what is still to be done about an action; empty for nothing.
func unsettled(action *v1alpha1.AgentAction) string {
	switch status := &action.Status; {
	case status.Decision == v1alpha1.DecisionPending:
		return "waits for " + crashApprover
	case !status.Decision.IsFinal():
		return "is not decided"
	case status.Notification != v1alpha1.NotificationDelivered:
		return fmt.Sprintf("has notifications %s: %v", status.Notification, status.Notifications)
	case action.Labels[v1alpha1.OutcomeNotificationLabel] != "":
		return "has an outcome that nobody was told of"
	default:
		return ""
	}
}

// counts are what the crashes have left behind.
type counts struct {
	kills, decisions, records, repeatedRecords, deliveries, repeatedDeliveries int
	lostRecords, lostDeliveries, unreadable, decidedTwice                      int
}

// count holds what the cluster says against the audit trail and the receiver.
func (c *crashes) count(all []v1alpha1.AgentAction) counts {
	GinkgoHelper()
	trail := readTrail(c.audit)
	n := counts{records: trail.records, unreadable: trail.unreadable, decidedTwice: trail.again}
	for i := range all {
		action := &all[i]
		uid := string(action.UID)
		n.decisions++
		said := trail.said[uid]
		if said.decision != action.Status.Decision || said.digest != action.Status.SpecDigest || said.reason != action.Status.Reason {
			n.lostRecords++
			GinkgoWriter.Printf("%s is %s (%s); the trail says %+v\n", action.Name, action.Status.Decision, action.Status.Reason, said)
		}
		n.repeatedRecords += said.times - 1
		for _, event := range expected(action) {
			heard := c.to.heard(event, action.Name)
			if heard == 0 {
				n.lostDeliveries++
				GinkgoWriter.Printf("nobody heard of %s of %s\n", event, action.Name)
			}
			n.deliveries += heard
			n.repeatedDeliveries += max(heard-1, 0)
		}
	}
	return n
}

// expected are the events that the receiver has subscribed to, and that have happened.
func expected(action *v1alpha1.AgentAction) []v1alpha1.EventType {
	events := []v1alpha1.EventType{v1alpha1.EventActionSubmitted}
	switch action.Spec.ActionType {
	case typeDenied:
		return append(events, v1alpha1.EventActionDenied)
	case typeAsked:
		events = append(events, v1alpha1.EventActionPending)
	}
	events = append(events, v1alpha1.EventActionApproved)
	if action.Spec.Outcome != nil {
		events = append(events, v1alpha1.EventActionExecuted)
	}
	return events
}

// decidedBy is the last final decision that the trail has of an action, none where
// it was taken back, and how many records of one there are that were not.
type decidedBy struct {
	decision              v1alpha1.Decision
	reason, digest, chain string
	times                 int
}

type trailOfCrashes struct {
	records, unreadable int
	// again are decisions that one process made a second time.
	again int
	said  map[string]decidedBy
}

// readTrail reads the records as anybody could, without this project's reader.
func readTrail(path string) trailOfCrashes {
	GinkgoHelper()
	text, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	trail := trailOfCrashes{said: map[string]decidedBy{}}
	for line := range bytes.Lines(text) {
		var record audit.Record
		if json.Unmarshal(line, &record) != nil {
			trail.unreadable++
			continue
		}
		trail.records++
		said := trail.said[record.UID]
		switch {
		case record.Kind != "" || !record.Decision.IsFinal():
		case record.Event == audit.EventNotApplied:
			said = decidedBy{times: said.times - 1}
		case isDecision(record.Event):
			if said.chain == record.Chain {
				trail.again++
				GinkgoWriter.Printf("%s is decided twice in chain %s\n", record.Name, record.Chain)
			}
			said = decidedBy{record.Decision, record.Reason, record.SpecDigest, record.Chain, said.times + 1}
		}
		trail.said[record.UID] = said
	}
	return trail
}

// verifyTrail reads the whole trail as `ascend audit verify` does.
func verifyTrail(ctx context.Context, path string) {
	GinkgoHelper()
	report, err := audittrail.Verify(ctx, audittrail.Open([]string{path}, nil), audittrail.VerifyOptions{})
	Expect(err).NotTo(HaveOccurred())
	Expect(report.Faults).To(BeEmpty())
	for line, err := range audittrail.Open([]string{path}, nil) {
		Expect(err).NotTo(HaveOccurred())
		if _, err := line.Record(); err == nil { // a kill may have left half of one
			Expect(schematest.Validate(line.Raw)).To(Succeed(), string(line.Raw))
		}
	}
	Expect(len(report.Chains)).To(BeNumerically(">", randomKills), "one chain a process")
}

// flagOf is the value of a flag.
func flagOf(flags []string, name string) string {
	for _, f := range flags {
		if value, is := strings.CutPrefix(f, "--"+name+"="); is {
			return value
		}
	}
	return ""
}

func isDecision(event v1alpha1.EventType) bool {
	return event == v1alpha1.EventActionApproved || event == v1alpha1.EventActionDenied
}

var _ = Describe("Operators that are killed", Serial, Ordered, func() {
	var c *crashes
	kills := 0

	BeforeAll(func(ctx SpecContext) {
		to := newReceiver()
		webhooks := envtest.FreeAddress(ctx, GinkgoT())
		c = &crashes{to: to, audit: filepath.Join(GinkgoT().TempDir(), "audit.log")}
		c.flags = []string{
			"--audit-log=" + c.audit, "--webhook-bind-address=" + webhooks,
			"--health-probe-bind-address=" + envtest.FreeAddress(ctx, GinkgoT()), "--metrics-bind-address=0",
			"--notification-allowed-networks=127.0.0.0/8", "--audit-anchor-interval=200ms",
		}
		first := c.start(ctx, "")
		first.webhooks, first.probes = webhooks, flagOf(c.flags, "health-probe-bind-address")
		admitBy(ctx, first)
		furnish(ctx, to) // with admission, which knows a subscription by its operator
		first.signal(syscall.SIGKILL)
		first.awaitEnd()
		c.load = startLoad(context.WithoutCancel(ctx))
		DeferCleanup(func() { c.load.stop(); c.load.done.Wait() })
	})

	for _, step := range stepsToDieAt {
		for nth := 1; nth <= 3; nth++ {
			It(fmt.Sprintf("at %s, the %d. time, go on where they were", step, nth), func(ctx SpecContext) {
				p := c.start(ctx, fmt.Sprintf("%s:%d", step, nth))
				Expect(p.awaitEnd()).To(Equal(-1), "it has not come to that step")
				kills++
			})
		}
	}

	It("at any moment, under load, lose nothing", func(ctx SpecContext) {
		random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 0))
		for range randomKills {
			p := c.start(ctx, "")
			p.probes = flagOf(c.flags, "health-probe-bind-address")
			if random.IntN(4) > 0 { // else it dies as it starts
				awaitStatus(ctx, "http://"+p.probes+"/readyz", "", 200)
			}
			nap(ctx, time.Duration(random.Int64N(int64(longestLife))))
			p.signal(syscall.SIGKILL)
			p.awaitEnd()
			kills++
		}
		last := c.start(ctx, "")
		all := c.end(ctx)
		last.signal(syscall.SIGTERM)
		Expect(last.awaitEnd()).To(BeZero())

		n := c.count(all)
		n.kills = kills
		AddReportEntry("counts", fmt.Sprintf("%+v", n), ReportEntryVisibilityAlways)
		fmt.Fprintf(os.Stdout, "killed %d times: %d decisions, %d records, %d of them decisions made again; %d deliveries, %d of them duplicates; "+
			"lost records %d, lost deliveries %d; lines cut off by a kill %d\n",
			n.kills, n.decisions, n.records, n.repeatedRecords, n.deliveries, n.repeatedDeliveries, n.lostRecords, n.lostDeliveries, n.unreadable)
		Expect(n.lostRecords).To(BeZero(), "decided actions without their record")
		Expect(n.lostDeliveries).To(BeZero(), "events that nobody heard of")
		Expect(n.decidedTwice).To(BeZero(), "decisions that a process made again although it was not killed in between")
		verifyTrail(ctx, c.audit)
	})
})
