// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var keyAge = prometheus.NewGauge(prometheus.GaugeOpts{
	Name: "ascend_seal_key_age_seconds",
	Help: "Age of the key that the operator seals with.",
})

func init() { metrics.Registry.MustRegister(keyAge) }
