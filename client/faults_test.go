// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/client"
	"github.com/ow-kai/ascend-operator/client/clienttest"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/test/faultproxy"
)

// behind returns options that go through the proxy.
func behind(proxy *faultproxy.Proxy, options client.Options) client.Options {
	options.Config.Host = proxy.URL
	options.Config.CAData, options.Config.CAFile = nil, proxy.CAFile
	return options
}

// faults are what can go wrong with one request, or with it and all later ones.
var faults = map[string]faultproxy.Fault{
	"cut before":      {Kind: faultproxy.CutBefore},
	"cut after":       {Kind: faultproxy.CutAfter},
	"cut middle":      {Kind: faultproxy.CutMiddle},
	"cable pulled":    {Kind: faultproxy.CutAfter, Connection: true},
	"500":             {Kind: faultproxy.Status, Code: http.StatusInternalServerError},
	"503":             {Kind: faultproxy.Status, Code: http.StatusServiceUnavailable, Header: map[string]string{"Retry-After": "0"}},
	"429 for long":    {Kind: faultproxy.Status, Code: http.StatusTooManyRequests, Header: map[string]string{"Retry-After": "3600"}},
	"404":             {Kind: faultproxy.Status, Code: http.StatusNotFound},
	"no API":          {Kind: faultproxy.Status, Code: http.StatusOK, Body: "<html>login</html>"},
	"token revoked":   {Kind: faultproxy.Unauthorized},
	"twice":           {Kind: faultproxy.Twice},
	"stale":           {Kind: faultproxy.Stale},
	"watch dropped":   {Kind: faultproxy.DropWatch},
	"watch gone":      {Kind: faultproxy.Gone, After: 1},
	"watch stalled":   {Kind: faultproxy.Stall},
	"clock ahead":     {Skew: 2 * time.Hour},
	"clock behind":    {Skew: -2 * time.Hour},
	"slow":            {Delay: 30 * time.Millisecond},
	"answer too late": {DelayAnswer: time.Hour},
}

// requestsOfARun is more than the requests of one governed run that wait for a
// person: a watch with its list, the create, reads, the look before the run, the report.
const requestsOfARun = 9

// Whatever fails, and from whichever request on, what is governed runs once at
// most, and only what is approved.
func TestWhateverFails(t *testing.T) {
	var (
		ran, tried atomic.Int32
		all        sync.WaitGroup
	)
	for name, fault := range faults {
		server := clienttest.New(t)
		proxy := faultproxy.Start(t, server.Options().Config)
		all.Go(func() { // they mostly wait, more than t.Parallel would have at once
			for n := 1; n <= requestsOfARun; n++ {
				for _, rule := range []faultproxy.Rule{{N: n, Fault: fault}, {From: n, Fault: fault}} {
					about := fmt.Sprintf("%s, request %d, lasting %t", name, n, rule.N == 0)
					ran.Add(governOnce(t, server, proxy, about, rule))
					tried.Add(1)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d of %d runs came through", ran.Load(), tried.Load())
	if ran.Load() == 0 || ran.Load() == tried.Load() {
		t.Errorf("%d of %d ran: the faults do not bite", ran.Load(), tried.Load())
	}
}

// governOnce governs one function whose action a person approves, with faults,
// and checks what has to hold. It returns how often the function ran.
func governOnce(t *testing.T, server *clienttest.Server, proxy *faultproxy.Proxy, name string, rule faultproxy.Rule) int32 {
	t.Helper()
	proxy.Reset()
	proxy.Rules(rule)
	options := behind(proxy, server.Options())
	options.Timeout, options.PollInterval, options.MaxRetries = 300*time.Millisecond, 20*time.Millisecond, 2
	c, err := client.New(options)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer c.Close()
	action := pending
	action.Description = name
	mine := func(a *v1alpha1.AgentAction) bool { return a.Spec.Description == name }

	ctx, stop := context.WithTimeout(t.Context(), 600*time.Millisecond)
	defer stop()
	go server.ApproveWhen(ctx, func(a *v1alpha1.AgentAction) bool { return mine(a) && a.Status.Decision == v1alpha1.DecisionPending }, approver, approvers)
	var runs atomic.Int32
	err = c.Govern(ctx, action, func(context.Context) error {
		runs.Add(1)
		return nil
	})

	var made []*v1alpha1.AgentAction
	for _, a := range server.Actions() {
		if mine(a) {
			made = append(made, a)
		}
	}
	var report *client.ReportError
	switch count := runs.Load(); {
	case count > 1:
		t.Errorf("%s: ran %d times", name, count)
	case len(made) > 1:
		t.Errorf("%s: made %d actions", name, len(made))
	case count == 0 && err == nil:
		t.Errorf("%s: did not run, and says nothing", name)
	case count == 1 && err != nil && !errors.As(err, &report):
		t.Errorf("%s: ran, and says %v", name, err)
	case count == 1:
		approvedAsAsked(t, name, made)
	}
	if err != nil && strings.Contains(err.Error(), options.Config.BearerToken) {
		t.Errorf("%s: the error holds the token", name)
	}
	return runs.Load()
}

// approvedAsAsked holds what ran to what the API server has.
func approvedAsAsked(t *testing.T, name string, made []*v1alpha1.AgentAction) {
	t.Helper()
	if len(made) != 1 {
		t.Errorf("%s: ran, and there are %d actions", name, len(made))
		return
	}
	digest, err := request.Digest(&made[0].Spec)
	if err != nil || made[0].Status.Decision != v1alpha1.DecisionApproved || made[0].Status.SpecDigest != digest {
		t.Errorf("%s: ran, and the action is %+v", name, made[0].Status)
	}
}
