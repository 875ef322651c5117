// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// An Agent can be stopped while no record can be kept. Nothing else can happen to
// it, and who it was is recorded once it can be.
func TestAnAgentIsStoppedWithoutARecord(t *testing.T) {
	t.Parallel()
	agent := func(spec string, annotations map[string]string) client.Object {
		return marked(t, spec, nil, annotations)
	}
	active := agent("{state: Active, maxRiskScore: '5.0'}", nil)
	because := map[string]string{v1alpha1.StateReasonAnnotation: "incident 12"}
	for name, c := range map[string]struct {
		operation   admissionv1.Operation
		old, object client.Object
		message     string // of the record; empty: the change is refused
	}{
		"suspended":                  {admissionv1.Update, active, agent("{state: Suspended, maxRiskScore: '5.0'}", nil), "changed: spec.state;"},
		"retired":                    {admissionv1.Update, active, agent("{state: Retired, maxRiskScore: '5.0'}", nil), "changed: spec.state;"},
		"suspended, with a reason":   {admissionv1.Update, active, agent("{state: Suspended, maxRiskScore: '5.0'}", because), `changed: metadata.annotations["governance.ascendowkai.com/state-reason"], spec.state;`},
		"the reason alone":           {admissionv1.Update, active, agent("{state: Active, maxRiskScore: '5.0'}", because), ""},
		"with another annotation":    {admissionv1.Update, active, agent("{state: Suspended, maxRiskScore: '5.0'}", map[string]string{"tier": "gold"}), ""},
		"with a label":               {admissionv1.Update, active, marked(t, "{state: Suspended, maxRiskScore: '5.0'}", map[string]string{"tier": "gold"}, nil), ""},
		"with a limit raised":        {admissionv1.Update, active, agent("{state: Suspended, maxRiskScore: '9.0'}", nil), ""},
		"with a limit taken away":    {admissionv1.Update, active, agent("{state: Suspended}", nil), ""},
		"to a state nobody knows":    {admissionv1.Update, active, agent("{state: Paused, maxRiskScore: '5.0'}", nil), ""},
		"from one nobody knows":      {admissionv1.Update, agent("{state: Paused}", nil), agent("{state: Suspended}", nil), ""},
		"retired when suspended":     {admissionv1.Update, agent("{state: Suspended}", nil), agent("{state: Retired}", nil), ""},
		"active again":               {admissionv1.Update, agent("{state: Suspended}", nil), agent("{state: Active}", nil), ""},
		"deleted":                    {admissionv1.Delete, active, nil, ""},
		"created as a suspended one": {admissionv1.Create, nil, agent("{state: Suspended}", nil), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, active)
			w.lost = errors.New("disk full")
			later := clocktesting.NewFakePassiveClock(noon.Add(time.Hour))
			late := newLateRecords(w, later)
			passes := admission.HandlerFunc(func(context.Context, admission.Request) admission.Response { return admission.Allowed("") })
			handler := &recorded{next: passes, kind: "Agent", audit: w, live: w.refs.live, clock: w.options.Clock, late: late}
			response := handler.Handle(t.Context(), about(t, c.operation, "Agent", c.old, c.object))
			if err := late.catchUp(t.Context()); (err != nil) != (c.message != "") || len(w.records) > 0 {
				t.Fatalf("%v, records %+v", err, w.records)
			}
			w.lost = nil
			if err := late.catchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			if c.message == "" {
				if response.Allowed || response.Result.Code != http.StatusServiceUnavailable || !strings.Contains(response.Result.Message, "disk full") || len(w.records) > 0 {
					t.Errorf("response %+v, records %+v", response, w.records)
				}
				return
			}
			if !response.Allowed || response.AuditAnnotations["unrecorded"] == "" || len(response.Warnings) != 1 || !strings.Contains(response.Warnings[0], "no record can be kept now") {
				t.Errorf("response %+v", response)
			}
			if len(w.records) != 1 {
				t.Fatalf("records %+v", w.records)
			}
			r := w.records[0]
			if r.Event != audit.EventPolicyUpdated || r.Actor != "carol" || r.Name != "mine" || !r.Time.Equal(later.Now()) ||
				r.Message != c.message+" let through at 2026-01-02T12:00:00Z, when no record could be kept" {
				t.Errorf("record %+v", r)
			}
		})
	}
}

// flaky keeps records after so many attempts.
type flaky struct {
	fails int
	kept  chan audit.Record
}

func (f *flaky) Append(_ context.Context, records ...audit.Record) error {
	f.fails--
	if f.fails >= 0 {
		return errors.New("disk full")
	}
	for _, r := range records {
		f.kept <- r
	}
	return nil
}

// They are tried again by themselves, each is made once and in its order, and
// there are not more than a number of them.
func TestLateRecordsAreMadeByThemselves(t *testing.T) {
	t.Parallel()
	f := &flaky{fails: 1, kept: make(chan audit.Record, 2*maxLate)}
	late := newLateRecords(f, clocktesting.NewFakePassiveClock(noon))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	for i := range maxLate + 10 {
		late.keep(ctx, &audit.Record{Name: strconv.Itoa(i)}, errors.New("disk full"))
	}
	go func() { ended <- late.Start(ctx) }()
	for i := range maxLate {
		if r := <-f.kept; r.Name != strconv.Itoa(i) {
			t.Fatalf("record %d is of %s", i, r.Name)
		}
	}
	late.keep(ctx, &audit.Record{Name: "another"}, errors.New("disk full"))
	if r := <-f.kept; r.Name != "another" {
		t.Errorf("got %+v", r)
	}
	cancel()
	if err := <-ended; err != nil || late.NeedLeaderElection() {
		t.Errorf("it ends with %v", err)
	}
}
