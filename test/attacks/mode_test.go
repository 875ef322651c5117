// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/keyring"
)

// mode is what has become of the webhook.
type mode int

const (
	up      mode = iota
	down         // nothing answers where the configurations point to
	deleted      // there are no configurations
)

var modes = []mode{up, down, deleted}

func (m mode) String() string { return [...]string{"up", "down", "deleted"}[m] }

// The names of the webhook configurations.
const (
	mutating   = "ascend-mutating-webhook-configuration"
	validating = "ascend-validating-webhook-configuration"
)

// nowhere is an address at which nothing listens: the discard port.
const nowhere = "https://127.0.0.1:9"

// configurations are both configurations as they are in the cluster.
type configurations struct {
	mutating   admissionregistrationv1.MutatingWebhookConfiguration
	validating admissionregistrationv1.ValidatingWebhookConfiguration
}

func (l *stack) configurations(ctx context.Context) configurations {
	GinkgoHelper()
	var c configurations
	Expect(l.admin.Get(ctx, client.ObjectKey{Name: mutating}, &c.mutating)).To(Succeed())
	Expect(l.admin.Get(ctx, client.ObjectKey{Name: validating}, &c.validating)).To(Succeed())
	return c
}

// enter makes the mode true, and waits until the API server acts by it.
func (l *stack) enter(ctx context.Context, m mode) {
	GinkgoHelper()
	l.whole = l.configurations(ctx)
	switch m {
	case up:
	case down:
		c := l.configurations(ctx)
		for i := range c.mutating.Webhooks {
			c.mutating.Webhooks[i].ClientConfig.URL = at(c.mutating.Webhooks[i].ClientConfig.URL)
		}
		for i := range c.validating.Webhooks {
			c.validating.Webhooks[i].ClientConfig.URL = at(c.validating.Webhooks[i].ClientConfig.URL)
		}
		Expect(l.admin.Update(ctx, &c.mutating)).To(Succeed())
		Expect(l.admin.Update(ctx, &c.validating)).To(Succeed())
	case deleted:
		Expect(l.admin.Delete(ctx, l.whole.mutating.DeepCopy())).To(Succeed())
		Expect(l.admin.Delete(ctx, l.whole.validating.DeepCopy())).To(Succeed())
	}
	l.await(ctx, m)
}

func at(*string) *string {
	elsewhere := nowhere
	return &elsewhere
}

// restore puts everything back in its place.
func (l *stack) restore(ctx context.Context) {
	GinkgoHelper()
	c := configurations{*l.whole.mutating.DeepCopy(), *l.whole.validating.DeepCopy()}
	for _, object := range []client.Object{&c.mutating, &c.validating} {
		object.SetResourceVersion("")
		object.SetUID("")
		object.SetManagedFields(nil)
		err := l.admin.Create(ctx, object)
		if apierrors.IsAlreadyExists(err) {
			live := copyOf(object)
			Expect(l.admin.Get(ctx, client.ObjectKeyFromObject(object), live)).To(Succeed())
			object.SetResourceVersion(live.GetResourceVersion())
			err = l.admin.Update(ctx, object)
		}
		Expect(err).NotTo(HaveOccurred())
	}
	l.await(ctx, up)
	l.settle(ctx)
}

// settle waits until the operator has found all to be in order as it is now.
// Verdicts from before are void if it was not, and those from then on count.
func (l *stack) settle(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		now := l.configurations(ctx)
		var keys corev1.Secret
		g.Expect(l.admin.Get(ctx, client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: keyring.SecretName}, &keys)).To(Succeed())
		g.Expect(keys.Annotations[keyring.SeenAnnotation]).To(Equal(fmt.Sprintf("%s/%d", now.mutating.UID, now.mutating.Generation)))
		g.Expect(l.metrics(ctx)).NotTo(MatchRegexp(`(?m)^ascend_admission_enforced\{[^}]*\} 0$`))
	}).WithContext(ctx).Should(Succeed())
}

// await asks the API server, by dry runs, until each webhook answers as it has
// to in the mode. It takes webhook configurations over from a watch.
func (l *stack) await(ctx context.Context, m mode) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		for _, probe := range []client.Object{l.probeAction(), l.probeRule()} {
			err := l.admin.Create(ctx, probe, client.DryRunAll)
			switch m {
			case up:
				g.Expect(err).To(MatchError(ContainSubstring("denied the request")))
			case down:
				g.Expect(err).To(MatchError(ContainSubstring("failed calling webhook")))
			case deleted:
				g.Expect(fmt.Sprint(err)).NotTo(ContainSubstring("webhook \""))
			}
		}
	}).WithContext(ctx).Should(Succeed())
}
