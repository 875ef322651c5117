// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	decisions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ascend_decisions_total",
		Help: "Final decisions by decision and reason.",
	}, []string{"decision", "reason"})

	decisionSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "ascend_decision_seconds",
		Help:    "Time from the creation of an action, which the API server keeps to the second, to its final decision.",
		Buckets: []float64{0.5, 1, 2, 5, 15, 60, 300, 900, 3600, 14400, 86400},
	}, []string{"decision"})

	withdrawals = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ascend_approvals_withdrawn_total",
		Help: "Approvals that lost their validity because their agent may not act any more, by reason.",
	}, []string{"reason"})

	admissionEnforced = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "ascend_admission_enforced",
		Help: "1 where a webhook configuration, admission policy or binding holds what was shipped, 0 where it is missing or weakened. Only the leader looks.",
	}, []string{"configuration"})
)

func init() {
	metrics.Registry.MustRegister(decisions, decisionSeconds, withdrawals, admissionEnforced)
}
