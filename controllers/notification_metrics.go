// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/ow-kai/ascend-operator/internal/notify"
)

// The results that notifications are counted by; of the first and the last there
// is one for each notification and subscription.
const (
	resultDelivered = "delivered"
	resultRetried   = "retried"
	resultDead      = "dead"
)

var (
	notifications = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ascend_notifications_total",
		Help: "Notifications to subscriptions: delivered, retried for a try that failed, or dead when they were given up.",
	}, []string{"result"})

	notificationSeconds = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "ascend_notification_seconds",
		Help:    "Time from an event until a subscription's receiver took the notification of it.",
		Buckets: []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30, 120, 600, 3600, 14400, 86400},
	})

	// queued is the queue of this process; a test has several, one after the other.
	queued atomic.Pointer[notify.Queue]
)

func init() {
	for _, result := range []string{resultDelivered, resultRetried, resultDead} {
		notifications.WithLabelValues(result)
	}
	metrics.Registry.MustRegister(notifications, notificationSeconds, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ascend_notifications_pending",
		Help: "Notifications that wait for their delivery in the memory of the leader.",
	}, func() float64 {
		if queue := queued.Load(); queue != nil {
			return float64(queue.Len())
		}
		return 0
	}))
}
