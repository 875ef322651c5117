// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	recordsTotal = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "ascend_audit_records_total",
		Help: "Audit records that were kept.",
	})
	writeFailuresTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ascend_audit_write_failures_total",
		Help: "Writes of audit records that failed or did not end in time, by sink.",
	}, []string{"sink"})
	lostRecordsTotal = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ascend_audit_lost_records_total",
		Help: "Audit records that a sink did not get although what they tell of went on, under --audit-on-failure=continue.",
	}, []string{"sink"})
	commitSeconds = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "ascend_audit_commit_seconds",
		Help:    "Time that a batch of audit records took to be written and synced.",
		Buckets: prometheus.ExponentialBuckets(0.0001, 2.5, 13), // 0.1 ms to 6 s
	})
	batchRecords = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "ascend_audit_batch_records",
		Help:    "Audit records that were written and synced together.",
		Buckets: prometheus.ExponentialBuckets(1, 2, 10), // 1 to 512
	})
	healthy = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "ascend_audit_healthy",
		Help: "1 while audit records can be kept, 0 while they cannot.",
	})
)

func init() {
	metrics.Registry.MustRegister(recordsTotal, writeFailuresTotal, lostRecordsTotal, commitSeconds, batchRecords, healthy)
}
