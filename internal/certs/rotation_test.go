// SPDX-License-Identifier: Apache-2.0

package certs_test

import (
	"bytes"
	"math/rand/v2"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ow-kai/ascend-operator/internal/certs"
)

// lag is how far behind an API server of the test is: it believes what was
// injected up to that long ago. A look more is what it takes the other replicas
// to follow.
const lag = certs.PropagationTime - certs.Interval

// sighting is what was injected at a time.
type sighting struct {
	at     time.Time
	bundle []byte
}

// Three replicas live through two CAs in fast motion, one of them restarted now
// and then. At no step may any of them show a certificate that an API server
// would not believe, be it up to date or behind.
var _ = Describe("While CAs are replaced", Serial, func() {
	It("every replica is believed at every moment", func(ctx SpecContext) {
		w := newWorld(ctx)
		random := rand.New(rand.NewPCG(1, 2))
		start := func() *replica {
			r := w.replica(ctx)
			r.ServingLife, r.CALife = 6*time.Minute, 18*time.Minute
			Expect(r.Load(ctx)).To(Succeed())
			return r
		}
		replicas := []*replica{start(), start(), start()}
		seen := []sighting{{w.clock.Now(), bundle(ctx)}}
		shownBefore := map[string]bool{}
		cas := map[string]bool{string(seen[0].bundle): true}
		believed := func() {
			GinkgoHelper()
			if now := bundle(ctx); !bytes.Equal(now, seen[len(seen)-1].bundle) {
				seen = append(seen, sighting{w.clock.Now(), now})
				cas[string(now)] = true
			}
			for len(seen) > 1 && w.clock.Since(seen[1].at) > lag { // the first is outdated when the second is old
				seen = seen[1:]
			}
			for i, r := range replicas {
				for _, s := range seen {
					certificate, err := r.handshake(ctx, s.bundle)
					Expect(err).NotTo(HaveOccurred(), "replica %d at %s, with what was injected at %s", i, w.clock.Now(), s.at)
					shownBefore[string(certificate.Raw)] = true
				}
			}
		}
		for step := range 170 { // of 10 s: 28 minutes
			w.clock.Step(certs.Interval)
			if step%20 == 19 { // a restart
				replicas[random.IntN(len(replicas))] = start()
				believed()
			}
			for _, i := range random.Perm(len(replicas)) {
				Expect(replicas[i].Load(ctx)).To(Succeed())
				believed()
			}
		}
		Expect(len(cas)).To(BeNumerically(">=", 3), "CAs were replaced")
		Expect(len(shownBefore)).To(BeNumerically(">=", 5), "certificates were renewed")
	})
})
