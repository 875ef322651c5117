// SPDX-License-Identifier: Apache-2.0

package certs_test

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/ow-kai/ascend-operator/internal/certs"
)

// One world at a time: the Secret and the configurations have fixed names.
var _ = Describe("The webhook certificate", Serial, func() {
	It("is made on the first start, kept, and believed", func(ctx SpecContext) {
		r := newWorld(ctx).replica(ctx)
		Expect(r.Check()).To(MatchError("the webhook certificate has not been loaded"))
		_, err := r.handshake(ctx, nil)
		Expect(err).To(HaveOccurred())

		Expect(r.Load(ctx)).To(Succeed())
		Expect(r.Check()).To(Succeed())
		first := shown(ctx, r)
		secret := readSecret(ctx)
		Expect(secret.Type).To(Equal(corev1.SecretTypeTLS))
		Expect(secret.Data).To(And(HaveKey("ca.crt"), HaveKey("ca.key"), HaveKey("tls.crt"), HaveKey("tls.key"), HaveLen(4)))

		before := mutating()
		Expect(api.Get(ctx, client.ObjectKeyFromObject(before), before)).To(Succeed())
		Expect(r.Load(ctx)).To(Succeed())
		after := mutating()
		Expect(api.Get(ctx, client.ObjectKeyFromObject(after), after)).To(Succeed())
		Expect(after.ResourceVersion).To(Equal(before.ResourceVersion), "nothing is written without need")
		Expect(readSecret(ctx).ResourceVersion).To(Equal(secret.ResourceVersion), "nothing is written without need")
		Expect(shown(ctx, r).Equal(first)).To(BeTrue())
	})

	It("is one, though many replicas start at once", func(ctx SpecContext) {
		w := newWorld(ctx)
		const replicas = 8
		errs := make(chan error, replicas)
		var all []*replica
		for range replicas {
			all = append(all, w.replica(ctx))
		}
		for _, r := range all {
			go func() { errs <- r.Load(ctx) }()
		}
		for range replicas {
			Expect(<-errs).NotTo(HaveOccurred())
		}
		first := shown(ctx, all[0])
		for _, r := range all {
			Expect(shown(ctx, r).Equal(first)).To(BeTrue())
		}
	})

	It("is renewed without a restart, in every replica", func(ctx SpecContext) {
		w := newWorld(ctx)
		a, b := w.replica(ctx), w.replica(ctx)
		Expect(a.Load(ctx)).To(Succeed())
		Expect(b.Load(ctx)).To(Succeed())
		ca, first := bundle(ctx), shown(ctx, a)

		w.clock.Step(61 * 24 * time.Hour)
		Expect(a.Load(ctx)).To(Succeed())
		second := shown(ctx, a)
		Expect(second.Equal(first)).To(BeFalse())
		Expect(shown(ctx, b).Equal(first)).To(BeTrue(), "it has not looked yet, and is believed")
		Expect(b.Load(ctx)).To(Succeed())
		Expect(shown(ctx, b).Equal(second)).To(BeTrue())
		Expect(bundle(ctx)).To(Equal(ca), "the CA stays")
	})

	It("is recovered after it has expired while nobody looked", func(ctx SpecContext) {
		w := newWorld(ctx)
		r := w.replica(ctx)
		Expect(r.Load(ctx)).To(Succeed())
		w.clock.Step(100 * 24 * time.Hour)
		Expect(r.Check()).To(MatchError(ContainSubstring("could not be renewed")))
		_, err := r.handshake(ctx, bundle(ctx))
		Expect(err).To(MatchError(ContainSubstring("expired")))
		Expect(r.Load(ctx)).To(Succeed())
		Expect(r.Check()).To(Succeed())
		shown(ctx, r)
	})

	It("is looked at again and again by a running replica, who injects it anew", func(ctx SpecContext) {
		w := newWorld(ctx)
		r := w.replica(ctx)
		Expect(r.NeedLeaderElection()).To(BeFalse())
		running, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- r.Start(running) }()
		Eventually(r.Check).WithTimeout(patience).Should(Succeed())
		Eventually(w.clock.HasWaiters).WithTimeout(patience).Should(BeTrue())
		shown(ctx, r)

		uninstall(ctx)
		w.clock.Step(certs.Interval)
		Eventually(w.clock.HasWaiters).WithTimeout(patience).Should(BeTrue())
		install(ctx)
		Expect(bundles(ctx)).To(HaveEach(BeEmpty()))
		w.clock.Step(certs.Interval)
		Eventually(w.clock.HasWaiters).WithTimeout(patience).Should(BeTrue())
		shown(ctx, r)
		stop()
		Eventually(ended).WithTimeout(patience).Should(Receive(BeNil()))
	})

	DescribeTable("is repaired after damage", func(ctx SpecContext, damage func(*corev1.Secret)) {
		w := newWorld(ctx)
		a, b := w.replica(ctx), w.replica(ctx)
		Expect(a.Load(ctx)).To(Succeed())
		Expect(b.Load(ctx)).To(Succeed())
		secret := readSecret(ctx)
		damage(secret)
		Expect(api.Update(ctx, secret)).To(Succeed())
		Expect(a.Load(ctx)).To(Succeed())
		shown(ctx, a)
		if _, whole := secret.Data["ca.crt"]; whole {
			shown(ctx, b) // though it has not looked yet
		}
		Expect(b.Load(ctx)).To(Succeed())
		shown(ctx, b)

		for range 2 { // the first look finds it injected, the second for long enough
			w.clock.Step(certs.PropagationTime)
			Expect(a.Load(ctx)).To(Succeed())
			Expect(b.Load(ctx)).To(Succeed())
		}
		Expect(shown(ctx, a).Equal(shown(ctx, b))).To(BeTrue(), "both serve what the Secret has")
	},
		Entry("the serving key is garbage", func(s *corev1.Secret) { s.Data["tls.key"] = []byte("garbage") }),
		Entry("the serving certificate is empty", func(s *corev1.Secret) { s.Data["tls.crt"] = nil }),
		Entry("the CA's key is gone, as after cert-manager", func(s *corev1.Secret) { delete(s.Data, "ca.key") }),
		Entry("the CAs are gone", func(s *corev1.Secret) { delete(s.Data, "ca.crt") }),
		Entry("all is gone", func(s *corev1.Secret) { s.Data = map[string][]byte{"tls.crt": nil, "tls.key": nil} }),
	)

	It("begins anew when the Secret is deleted, and trusts nothing of before", func(ctx SpecContext) {
		r := newWorld(ctx).replica(ctx)
		Expect(r.Load(ctx)).To(Succeed())
		before := shown(ctx, r)
		Expect(api.Delete(ctx, theSecret())).To(Succeed())
		Expect(r.Load(ctx)).To(Succeed())
		Expect(shown(ctx, r).Equal(before)).To(BeFalse())
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(bundle(ctx))
		_, err := before.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: before.NotBefore})
		Expect(err).To(HaveOccurred())
	})

	It("stays served while the API server fails, and does not wait for configurations", func(ctx SpecContext) {
		w := newWorld(ctx)
		r := w.replica(ctx)
		forbidden := apierrors.NewForbidden(corev1.Resource("secrets"), certs.SecretName, errors.New("no"))
		var failing client.Object
		r.Live = interceptor.NewClient(api, interceptor.Funcs{
			Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
				if failing != nil && key.Name == failing.GetName() {
					return forbidden
				}
				return c.Get(ctx, key, into, options...)
			},
		})
		failing = theSecret()
		Expect(r.Load(ctx)).To(MatchError(ContainSubstring("read Secret ascend-system/ascend-webhook-server-cert")))
		Expect(r.Check()).NotTo(Succeed())
		failing = mutating()
		Expect(r.Load(ctx)).To(MatchError(ContainSubstring("read MutatingWebhookConfiguration " + certs.MutatingConfiguration)))
		Expect(r.Check()).To(Succeed())
		Expect(bundles(ctx)[2]).NotTo(BeEmpty(), "the other configuration is not held up")
		failing = theSecret()
		Expect(r.Load(ctx)).NotTo(Succeed())
		Expect(r.Check()).To(Succeed())
		failing = nil
		uninstall(ctx)
		Expect(r.Load(ctx)).To(Succeed(), "a missing configuration is somebody else's alarm")
	})

	It("never injects the CAs of an older Secret over those of a newer one", func(ctx SpecContext) {
		w := newWorld(ctx)
		quick, slow := w.replica(ctx), w.replica(ctx)
		Expect(quick.Load(ctx)).To(Succeed())
		// The slow one has read the Secret, stands still, and goes on much later.
		paused := false
		slow.Writer = interceptor.NewClient(api, interceptor.Funcs{
			Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch, options ...client.PatchOption) error {
				if !paused {
					paused = true
					Expect(api.Delete(ctx, theSecret())).To(Succeed())
					Expect(quick.Load(ctx)).To(Succeed())
				}
				return c.Patch(ctx, o, patch, options...)
			},
		})
		uninstall(ctx)
		install(ctx)
		Expect(slow.Load(ctx)).To(Succeed())
		Expect(paused).To(BeTrue())
		Expect(string(bundle(ctx))).To(Equal(string(readSecret(ctx).Data["ca.crt"])))
		Expect(shown(ctx, slow).Equal(shown(ctx, quick))).To(BeTrue())
	})

	It("tells whoever asks that others write all the time", func(ctx SpecContext) {
		r := newWorld(ctx).replica(ctx)
		r.Writer = interceptor.NewClient(api, interceptor.Funcs{
			Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error {
				return apierrors.NewAlreadyExists(corev1.Resource("secrets"), certs.SecretName)
			},
		})
		Expect(r.Load(ctx)).To(MatchError(ContainSubstring("others were faster 5 times")))
	})

	It("leaves alone what else is in the Secret and in the configurations", func(ctx SpecContext) {
		w := newWorld(ctx)
		Expect(api.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: theSecret().Namespace, Name: certs.SecretName, Labels: map[string]string{"kept": "yes"}},
			Data:       map[string][]byte{"mine": []byte("kept")},
		})).To(Succeed())
		r := w.replica(ctx)
		Expect(r.Load(ctx)).To(Succeed())
		shown(ctx, r)
		Expect(readSecret(ctx)).To(And(HaveField("Data", HaveKeyWithValue("mine", []byte("kept"))), HaveField("Labels", HaveKey("kept"))))
		m := mutating()
		Expect(api.Get(ctx, client.ObjectKeyFromObject(m), m)).To(Succeed())
		Expect(m.Webhooks[1].ClientConfig.Service.Name).To(Equal("ascend-webhook-service"))
		Expect(*m.Webhooks[1].ClientConfig.Service.Port).To(BeEquivalentTo(443))
	})
})

// patience is long, for the machine may be busy.
const patience = time.Minute
