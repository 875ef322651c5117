// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/controllers"
	"github.com/ow-kai/ascend-operator/webhooks"
)

// The leader's Lease, and the Events about it, in the operator's own namespace.
//
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=ascend-system,resources=leases,verbs=get;create;update
// +kubebuilder:rbac:groups="",namespace=ascend-system,resources=events,verbs=create;patch

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))
	return scheme, err
}

// run works until ctx ends, then lets what is in progress finish.
func run(ctx context.Context, options *Options) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("no cluster to work on: %w; give --kubeconfig, set KUBECONFIG, or run in a cluster", err)
	}
	// The API server's priority and fairness holds back who asks too much; a
	// second limit here would only make bursts of actions wait.
	config.QPS = -1
	config.UserAgent = "ascend-operator/manager"

	trail, err := openTrail(options) //nolint:contextcheck // the end of ctx must not end the trail
	if err != nil {
		return err
	}
	defer trail.end() //nolint:contextcheck // ctx has ended, and nothing makes records any more
	return operate(ctx, config, options, trail)
}

// operate works until ctx ends. When it returns, nothing is at work any more.
func operate(ctx context.Context, config *rest.Config, options *Options, trail *trail) error {
	scheme, err := newScheme()
	if err != nil {
		return fmt.Errorf("build scheme: %w", err)
	}
	certificates := newCertificates(options)
	server, err := webhookServer(options, certificates)
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, managerOptions(scheme, options, server))
	if err != nil {
		return fmt.Errorf("connect to the API server: %w", err)
	}
	admission, err := prepareAdmission(ctx, mgr, options, certificates)
	if err != nil {
		return fmt.Errorf("prepare admission: %w", err)
	}
	if err := trail.anchorWith(mgr, options); err != nil {
		return err
	}
	if err := setUp(ctx, mgr, options, admission, trail); err != nil {
		return err
	}
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}

// setUp registers controllers, webhooks and probes.
func setUp(ctx context.Context, mgr ctrl.Manager, options *Options, admission *admission, trail *trail) error {
	networks, err := options.notificationNetworks()
	if err != nil {
		return err
	}
	records, err := recorder(options, trail)
	if err != nil {
		return err
	}
	operator, err := controllers.Setup(ctx, mgr, controllers.Options{
		Notifications:   controllers.NotificationOptions{AllowedNetworks: networks, Version: buildVersion(), Around: options.parts.poster},
		Audit:           records,
		Voucher:         admission.voucher,
		Guard:           admission.guard,
		Limiter:         admission.limiter,
		ApprovalURL:     options.ApprovalURL,
		Workers:         options.Workers,
		CollectInterval: options.CollectInterval,
	})
	if err != nil {
		return err
	}
	err = webhooks.Setup(mgr, webhooks.Options{
		Subscriptions: operator.Subscriptions, AllowedNetworks: networks,
		Audit:   records,
		Policy:  operator.Policy,
		Synced:  operator.Feed.Synced,
		Ring:    admission.keys.Ring,
		Voucher: admission.voucher,
		Limiter: admission.limiter,
		Live:    mgr.GetAPIReader(),
	})
	if err != nil {
		return err
	}
	if err := errors.Join(addProbes(mgr, operator, trail), admission.addProbes(mgr)); err != nil {
		return fmt.Errorf("add probes: %w", err)
	}
	return nil
}

// addProbes: healthy while the process answers; ready when policy has been read
// completely, so that a rollout waits for it, and while records can be kept,
// for without them nothing is decided.
func addProbes(mgr ctrl.Manager, operator *controllers.Operator, trail *trail) error {
	policyRead := func(*http.Request) error {
		if !operator.Feed.Synced() {
			return errors.New("policy has not been read completely")
		}
		return nil
	}
	recordsKept := func(request *http.Request) error { return trail.Check(request.Context()) }
	return errors.Join(
		mgr.AddHealthzCheck("ping", healthz.Ping),
		mgr.AddReadyzCheck("policy", policyRead),
		mgr.AddReadyzCheck("audit", recordsKept),
	)
}
