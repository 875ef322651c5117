// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"time"
)

// maxBundle bounds how many CAs are trusted at once, so that a Secret that is
// damaged again and again does not fill the webhook configurations.
const maxBundle = 5

// terms say what is wanted.
type terms struct {
	hosts       []string
	servingLife time.Duration
	caLife      time.Duration
}

// renewal is one look at the material: what is due, and why.
type renewal struct {
	terms
	now time.Time
	// settled says whether every API server has believed a CA for long enough.
	settled func(*x509.Certificate) bool

	material
	reasons []string
}

// renew returns the material as it should be, and why it had to change; no
// reasons when nothing was due. The material it is given stays as it is.
//
// A new CA takes over in two steps: it is trusted first, and signs once it has
// settled. So whoever serves a certificate of the old CA or of the new one is
// believed at every moment. Only when there is no CA at all to sign with is a
// new one used at once.
func (t terms) renew(current *material, now time.Time, settled func(*x509.Certificate) bool) (*material, []string, error) {
	r := &renewal{terms: t, now: now, settled: settled, material: *current}
	r.bundle = slices.DeleteFunc(slices.Clone(current.bundle), func(c *x509.Certificate) bool {
		return now.After(c.NotAfter) // it can vouch for nothing any more
	})
	if err := r.replaceAuthority(); err != nil {
		return nil, nil, err
	}
	if err := r.succeed(); err != nil {
		return nil, nil, err
	}
	if err := r.renewServing(); err != nil {
		return nil, nil, err
	}
	r.prune()
	return &r.material, r.reasons, nil
}

// replaceAuthority makes a CA where there is none to sign with.
func (r *renewal) replaceAuthority() error {
	if r.successor != nil && !valid(r.successor.certificate, r.now) {
		r.successor = nil
	}
	if r.authority != nil && valid(r.authority.certificate, r.now) {
		return nil
	}
	if r.successor != nil { // it is trusted already, or will be sooner than another
		r.promote("there is no CA to sign with, but its successor")
		return nil
	}
	made, err := r.trust(r.caLife)
	if err != nil {
		return err
	}
	r.authority = made
	r.because("there is no CA to sign with")
	return nil
}

// succeed replaces the CA in good time.
func (r *renewal) succeed() error {
	if r.remaining(r.authority.certificate) >= r.caLife/3 {
		return nil
	}
	if r.successor == nil {
		made, err := r.trust(r.caLife)
		if err != nil {
			return err
		}
		r.successor = made
		r.because("less than a third of the CA's life is left: its successor is trusted")
	}
	switch {
	case r.settled(r.successor.certificate):
		r.promote("the CA's successor has been trusted for long enough and signs")
	case r.remaining(r.authority.certificate) < r.servingLife:
		r.promote("the CA would end before a certificate of it: its successor signs")
	}
	return nil
}

func (r *renewal) promote(reason string) {
	r.authority, r.successor = r.successor, nil
	r.because(reason)
}

// renewServing signs a serving certificate where the one there is will not do.
func (r *renewal) renewServing() error {
	hosts := r.hosts
	aged := false
	switch leaf := leafOf(r.serving); {
	case leaf == nil:
		r.because("the serving certificate is missing or cannot be read")
	case !valid(leaf, r.now):
		r.because("the serving certificate is expired or not yet valid")
	case leaf.CheckSignatureFrom(r.authority.certificate) != nil:
		r.because("the serving certificate is not of the CA that signs")
	case !covers(leaf, r.hosts):
		// Those of before stay until the next renewal: during a rollout replicas of
		// both settings would otherwise replace each other's certificate in turns.
		hosts = union(hostsOf(leaf), r.hosts)
		r.because("the serving certificate lacks a host")
	case r.remaining(leaf) < r.servingLife/3:
		aged = true
		r.because("less than a third of the serving certificate's life is left")
	default:
		return nil
	}
	made, err := r.authority.sign(r.now, r.servingLife, hosts)
	if err != nil {
		return err
	}
	if aged { // by now nobody serves what a CA of before has signed
		r.bundle = slices.DeleteFunc(r.bundle, func(c *x509.Certificate) bool { return !r.needs(c) })
	}
	r.serving = made
	return nil
}

// prune keeps the bundle within its bound: the oldest CAs go.
func (r *renewal) prune() {
	for i := 0; len(r.bundle) > maxBundle && i < len(r.bundle); {
		if r.needs(r.bundle[i]) {
			i++
		} else {
			r.bundle = slices.Delete(r.bundle, i, i+1)
		}
	}
}

// needs says whether a CA signs now or next.
func (r *renewal) needs(c *x509.Certificate) bool {
	return r.authority.certificate.Equal(c) || (r.successor != nil && r.successor.certificate.Equal(c))
}

// trust makes a CA and puts it into the bundle.
func (r *renewal) trust(life time.Duration) (*authority, error) {
	made, err := newAuthority(r.now, life)
	if err != nil {
		return nil, err
	}
	r.bundle = append(r.bundle, made.certificate)
	return made, nil
}

func (r *renewal) because(reason string) { r.reasons = append(r.reasons, reason) }

func (r *renewal) remaining(c *x509.Certificate) time.Duration { return c.NotAfter.Sub(r.now) }

func valid(c *x509.Certificate, now time.Time) bool {
	return !now.Before(c.NotBefore) && !now.After(c.NotAfter)
}

// leafOf returns nil for no certificate.
func leafOf(c *tls.Certificate) *x509.Certificate {
	if c == nil {
		return nil
	}
	return c.Leaf
}

func covers(leaf *x509.Certificate, hosts []string) bool {
	return !slices.ContainsFunc(hosts, func(host string) bool { return leaf.VerifyHostname(host) != nil })
}

func hostsOf(leaf *x509.Certificate) []string {
	hosts := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	return hosts
}

// union is sorted, and names every host once.
func union(before, now []string) []string {
	all := slices.Concat(before, now)
	for i, host := range all {
		if ip := net.ParseIP(host); ip != nil {
			all[i] = ip.String()
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// believed returns why nobody who trusts the bundle alone would believe the
// certificate for every host; nil when they would.
func believed(c *tls.Certificate, bundle []*x509.Certificate, hosts []string, now time.Time) error {
	roots := x509.NewCertPool()
	for _, ca := range bundle {
		roots.AddCert(ca)
	}
	for _, host := range hosts {
		if _, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: now}); err != nil {
			return fmt.Errorf("the serving certificate is not believed for %s: %w", host, err)
		}
	}
	return nil
}
