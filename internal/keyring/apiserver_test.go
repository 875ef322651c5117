// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"context"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/keyring"
	"github.com/ow-kai/ascend-operator/internal/seal"
	"github.com/ow-kai/ascend-operator/test/envtest"
)

// What a fake client cannot promise: that a real API server keeps replicas that
// come at once from making two keys.
func TestOnAnAPIServer(t *testing.T) {
	t.Parallel()
	RegisterFailHandler(Fail)
	RunSpecs(t, "Seal keys")
}

var api client.Client

var _ = BeforeSuite(func(ctx SpecContext) {
	config, stop := envtest.Start(GinkgoT())
	DeferCleanup(stop)
	config.QPS = -1
	var err error
	api, err = client.New(config, client.Options{Scheme: clientgoscheme.Scheme})
	Expect(err).NotTo(HaveOccurred())
	Expect(api.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.GlobalNamespace}})).To(Succeed())
})

var _ = Describe("Replicas on an API server", Ordered, func() {
	var (
		clock    *clocktesting.FakeClock
		replicas []*keyring.Keyring
		pending  seal.Submission
	)
	secret := func(ctx context.Context) *corev1.Secret {
		GinkgoHelper()
		var found corev1.Secret
		Expect(api.Get(ctx, client.ObjectKeyFromObject(named(nil)), &found)).To(Succeed())
		return &found
	}
	loadAtOnce := func(ctx context.Context) {
		GinkgoHelper()
		var all sync.WaitGroup
		failures := make([]error, len(replicas))
		for i, k := range replicas {
			all.Go(func() { failures[i] = k.Load(ctx) })
		}
		all.Wait()
		Expect(failures).To(HaveEach(BeNil()))
	}
	annotate := func(ctx context.Context) {
		GinkgoHelper()
		patch := client.RawPatch("application/merge-patch+json",
			[]byte(`{"metadata":{"annotations":{"`+keyring.RotateAnnotation+`":"now"}}}`))
		Expect(api.Patch(ctx, named(nil), patch)).To(Succeed())
	}

	BeforeAll(func() {
		clock = clocktesting.NewFakeClock(time.Now())
		for range 8 {
			k := keyring.New(api, api, clock)
			k.InUse = func(context.Context) (map[string]bool, error) { return map[string]bool{}, nil }
			replicas = append(replicas, k)
		}
	})

	It("make one first key", func(ctx SpecContext) {
		loadAtOnce(ctx)
		Expect(secret(ctx).Data).To(HaveLen(1))
		pending = sealed(GinkgoTB(), replicas[0])
		for _, k := range replicas {
			Expect(k.Ring().CheckSubmission(pending)).To(Succeed())
		}
	})

	It("make one key where one is asked for, which all know before it seals", func(ctx SpecContext) {
		annotate(ctx)
		loadAtOnce(ctx)
		Expect(secret(ctx).Data).To(HaveLen(2))
		Expect(secret(ctx).Annotations).NotTo(HaveKey(keyring.RotateAnnotation))
		old := replicas[0].Ring().Active()
		clock.Step(keyring.Delay)
		loadAtOnce(ctx)
		for _, k := range replicas {
			Expect(k.Ring().Active()).To(And(Equal(replicas[0].Ring().Active()), Not(Equal(old))))
			Expect(k.Ring().CheckSubmission(sealed(GinkgoTB(), replicas[7]))).To(Succeed())
			Expect(k.Ring().CheckSubmission(pending)).To(Succeed())
		}
	})

	It("make one key by age, and remove the old one", func(ctx SpecContext) {
		clock.Step(keyring.MaxAge)
		loadAtOnce(ctx)
		Expect(secret(ctx).Data).To(HaveLen(2), "the first has gone, a third has come")
		loadAtOnce(ctx)
		for _, k := range replicas {
			Expect(k.Ring().CheckSubmission(pending)).To(MatchError(seal.ErrUnknownKey))
		}
	})

	It("write the Secret anew where somebody deletes it", func(ctx SpecContext) {
		before := secret(ctx)
		Expect(api.Delete(ctx, before)).To(Succeed())
		loadAtOnce(ctx)
		Expect(secret(ctx).Data).To(Equal(before.Data))
		Expect(secret(ctx).UID).NotTo(Equal(before.UID))
	})

	It("void what a key sealed when its entry is removed by hand", func(ctx SpecContext) {
		pending = sealed(GinkgoTB(), replicas[0])
		annotate(ctx)
		loadAtOnce(ctx)
		clock.Step(keyring.Delay)
		loadAtOnce(ctx)
		found := secret(ctx)
		delete(found.Data, pending.Requester.Seal[3:11])
		Expect(api.Update(ctx, found)).To(Succeed())
		loadAtOnce(ctx)
		for _, k := range replicas {
			Expect(k.Ring().CheckSubmission(pending)).To(MatchError(seal.ErrUnknownKey))
			Expect(k.Ring().CheckSubmission(sealed(GinkgoTB(), replicas[3]))).To(Succeed())
		}
	})
})
