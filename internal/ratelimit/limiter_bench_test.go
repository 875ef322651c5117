// SPDX-License-Identifier: Apache-2.0

package ratelimit_test

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/internal/ratelimit"
)

// BenchmarkAdmit asks for actions of a thousand agents, a million of them in a
// second of the limiter's time.
func BenchmarkAdmit(b *testing.B) {
	agents := make([]types.NamespacedName, 1000)
	for i := range agents {
		agents[i] = types.NamespacedName{Namespace: "namespace", Name: fmt.Sprintf("agent-%d", i)}
	}
	actions := make([]string, 1<<16)
	for i := range actions {
		actions[i] = fmt.Sprintf("act-%x", i)
	}
	for name, all := range map[string][3]int32{"let_in": {unlimited, unlimited, unlimited}, "refused": {1, 1, 1}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			l, limit := ratelimit.New(), limit(all[0], all[1], all[2])
			for i := 0; b.Loop(); i++ {
				l.Admit(agents[i%len(agents)], actions[i%len(actions)], limit, midnight.Add(time.Duration(i)*time.Microsecond))
			}
		})
	}
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		l, limit := ratelimit.New(), limit(unlimited, unlimited, unlimited)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				l.Admit(agents[i%len(agents)], actions[i%len(actions)], limit, midnight.Add(time.Duration(i)*time.Microsecond))
			}
		})
	})
}
