// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// The Secret, by name; the two configurations, by name.
//
// +kubebuilder:rbac:groups="",namespace=ascend-system,resources=secrets,verbs=create
// +kubebuilder:rbac:groups="",namespace=ascend-system,resources=secrets,resourceNames=ascend-webhook-server-cert,verbs=get;update
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=mutatingwebhookconfigurations,resourceNames=ascend-mutating-webhook-configuration,verbs=get;patch
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingwebhookconfigurations,resourceNames=ascend-validating-webhook-configuration,verbs=get;patch

// The defaults of a Rotator.
const (
	// Interval is the time between two looks at the Secret and the configurations.
	Interval = 10 * time.Second
	// ServingLife is how long a serving certificate is valid; it is renewed at two
	// thirds of that.
	ServingLife = 90 * 24 * time.Hour
	// CALife is how long a CA is valid; it is replaced at two thirds of that.
	CALife = 10 * 365 * 24 * time.Hour
	// PropagationTime is how long a CA has to be in both configurations before
	// anything it has signed is served in place of something that is believed. API
	// servers follow the configurations by watch, within milliseconds when they are
	// well; a minute leaves room for one whose watch was cut and begins anew.
	PropagationTime = time.Minute
)

const (
	// lookTimeout bounds one look, so that an API server that does not answer
	// cannot hold up the next.
	lookTimeout = 10 * time.Second
	// attempts bounds how often one look begins again because somebody else was
	// faster. Replicas are few, and each writes once.
	attempts = 5
)

// Rotator keeps the serving certificate of the webhooks. It is a
// manager.Runnable of every replica. Set the fields before the first use; zero
// durations mean the defaults.
//
// To throw a CA away that somebody may have copied, delete the Secret: a new CA
// is made within Interval, nothing of the old one is trusted any more, and
// creating actions is refused for as long.
type Rotator struct {
	// Live reads the Secret and the configurations, without a cache. Required.
	Live client.Reader
	// Writer writes them. Required.
	Writer client.Writer
	// Hosts are the DNS names and IP addresses that the webhooks are called by. Required.
	Hosts []string
	// Clock tells the time. Required.
	Clock clock.Clock
	// Interval, ServingLife, CALife and PropagationTime are explained at the
	// constants. CALife is at least three times ServingLife.
	Interval, ServingLife, CALife, PropagationTime time.Duration

	serving atomic.Pointer[tls.Certificate]

	mu        sync.Mutex // one look at a time
	injection propagation
}

// GetCertificate is for tls.Config: the newest certificate that is believed. It
// fails before the first successful Load.
func (r *Rotator) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if serving := r.serving.Load(); serving != nil {
		return serving, nil
	}
	return nil, errors.New("the webhook certificate has not been loaded")
}

// Check returns why nothing can be served, for a readiness probe.
func (r *Rotator) Check() error {
	serving, err := r.GetCertificate(nil)
	if err != nil {
		return err
	}
	if now := r.Clock.Now(); !valid(serving.Leaf, now) {
		return fmt.Errorf("the webhook certificate is valid from %s to %s only, and could not be renewed; the log says why",
			serving.Leaf.NotBefore.Format(time.RFC3339), serving.Leaf.NotAfter.Format(time.RFC3339))
	}
	return nil
}

// NeedLeaderElection is false: every replica serves.
func (r *Rotator) NeedLeaderElection() bool { return false }

// Start looks every Interval until ctx ends.
func (r *Rotator) Start(ctx context.Context) error {
	interval := cmp.Or(r.Interval, Interval)
	for {
		if err := r.Load(ctx); err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Error(err, "Cannot keep the webhook certificate; trying again", "after", interval)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.Clock.After(interval):
		}
	}
}

// Load looks once: it makes or renews what is due, serves it, and injects the
// CAs where they are not. An error of the injection leaves the certificate
// served; one of the Secret leaves the one of before.
func (r *Rotator) Load(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var err error
	for range attempts {
		if err = r.look(ctx); !raced(err) {
			return err
		}
	}
	return fmt.Errorf("others were faster %d times: %w", attempts, err)
}

// raced says whether somebody else has written what was to be written.
func raced(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err)
}

// look reads the configurations before the Secret, and writes them only as they
// were read. So it never replaces the CAs of a newer Secret by those of an
// older one, however long it takes: whoever has injected the newer ones has
// changed the configuration since.
func (r *Rotator) look(ctx context.Context) error {
	found, injectErr := configurations(ctx, r.Live)
	now := r.Clock.Now()
	s, err := readSecret(ctx, r.Live)
	if err != nil {
		return errors.Join(err, injectErr)
	}
	current := decode(s.Data)
	if injectErr == nil {
		r.injection.observe(found, current.bundle, now)
	} else {
		r.injection = propagation{}
	}
	wanted, reasons, err := r.terms().renew(current, now, func(ca *x509.Certificate) bool { return r.settled(ca, now) })
	if err != nil {
		return errors.Join(err, injectErr)
	}
	if changed, err := s.write(ctx, r.Writer, wanted); err != nil {
		return err
	} else if changed {
		log.FromContext(ctx).Info("Renewed the webhook certificate", "secret", SecretName, "because", reasons,
			"until", wanted.serving.Leaf.NotAfter, "caUntil", wanted.authority.certificate.NotAfter)
	}
	r.serve(wanted, now)
	return errors.Join(injectErr, r.inject(ctx, found, wanted))
}

func (r *Rotator) inject(ctx context.Context, found []configuration, m *material) error {
	var errs []error
	bundle := encodeBundle(m.bundle)
	for _, c := range found {
		wrote, err := c.inject(ctx, r.Writer, bundle)
		switch {
		case raced(err):
			return err // look again
		case apierrors.IsNotFound(err): // deleted a moment ago
		case err != nil:
			errs = append(errs, err)
		case wrote:
			log.FromContext(ctx).Info("Injected the webhook CA", "configuration", c.object.GetName(), "cas", len(m.bundle))
		}
	}
	return errors.Join(errs...)
}

// serve takes the certificate into use. One of a CA that API servers may not
// know yet waits, as long as the one of before is believed.
func (r *Rotator) serve(m *material, now time.Time) {
	held := r.serving.Load()
	if held == nil || r.settled(m.authority.certificate, now) ||
		held.Leaf.CheckSignatureFrom(m.authority.certificate) == nil ||
		believed(held, m.bundle, r.Hosts, now) != nil {
		r.serving.Store(m.serving)
	}
}

func (r *Rotator) settled(ca *x509.Certificate, now time.Time) bool {
	return r.injection.settled(ca, now, cmp.Or(r.PropagationTime, PropagationTime))
}

func (r *Rotator) terms() terms {
	return terms{
		hosts:       r.Hosts,
		servingLife: cmp.Or(r.ServingLife, ServingLife),
		caLife:      cmp.Or(r.CALife, CALife),
	}
}
