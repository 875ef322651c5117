// SPDX-License-Identifier: Apache-2.0

package main

import (
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/ow-kai/ascend-operator/controllers"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/notify"
)

// leaderElectionID is the name of the Lease that replicas compete for.
const leaderElectionID = "ascend-operator"

// parts wraps what the operator is made of, so that a test can come in between.
// The zero value wraps nothing, and is what the program runs with.
type parts struct {
	newClient client.NewClientFunc
	sink      func(audit.Sink) audit.Sink
	poster    func(notify.Poster) notify.Poster
}

func managerOptions(scheme *runtime.Scheme, options *Options, webhooks webhook.Server) manager.Options {
	return ctrl.Options{
		Scheme:                        scheme,
		NewClient:                     options.parts.newClient,
		Cache:                         controllers.CacheOptions(),
		Metrics:                       metricsOptions(options.MetricsAddress),
		HealthProbeBindAddress:        options.ProbeAddress,
		WebhookServer:                 webhooks,
		LeaderElection:                options.LeaderElect,
		LeaderElectionID:              leaderElectionID,
		LeaderElectionNamespace:       options.LeaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &options.LeaseDuration,
		RenewDeadline:                 &options.RenewDeadline,
		RetryPeriod:                   &options.RetryPeriod,
		GracefulShutdownTimeout:       &options.ShutdownTimeout,
	}
}
