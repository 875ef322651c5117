// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"crypto/x509"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	start     = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	testHosts = []string{"webhook.test.svc", "127.0.0.1", "::1"}
	testTerms = terms{hosts: testHosts, servingLife: ServingLife, caLife: CALife}
)

func never(*x509.Certificate) bool  { return false }
func always(*x509.Certificate) bool { return true }

// renewed renews by the terms, or fails the test.
func renewed(t *testing.T, terms terms, m *material, now time.Time, settled func(*x509.Certificate) bool) (next *material, because string) {
	t.Helper()
	next, reasons, err := terms.renew(m, now, settled)
	if err != nil {
		t.Fatal(err)
	}
	if err := believed(next.serving, next.bundle, terms.hosts, now); err != nil {
		t.Error(err)
	}
	data, err := next.encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := decode(data).encode()
	if err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(data, again, bytes.Equal) {
		t.Error("what was written reads as something else")
	}
	return decode(data), strings.Join(reasons, "; ")
}

func TestTheFirstCertificate(t *testing.T) {
	t.Parallel()
	m, reasons := renewed(t, testTerms, &material{}, start, never)
	if want := "there is no CA to sign with; the serving certificate is missing or cannot be read"; reasons != want {
		t.Errorf("got %q, want %q", reasons, want)
	}
	leaf := m.serving.Leaf
	if got, want := leaf.NotAfter, start.Add(90*24*time.Hour); !got.Equal(want) {
		t.Errorf("the serving certificate ends %s, want %s", got, want)
	}
	if got, want := m.authority.certificate.NotAfter, start.Add(10*365*24*time.Hour); !got.Equal(want) {
		t.Errorf("the CA ends %s, want %s", got, want)
	}
	if diff := cmp.Diff([]string{"127.0.0.1", "::1", "webhook.test.svc"}, union(nil, hostsOf(leaf))); diff != "" {
		t.Error(diff)
	}
	if leaf.PublicKeyAlgorithm != x509.ECDSA || leaf.IsCA || len(m.bundle) != 1 || m.successor != nil {
		t.Errorf("unexpected: %v, CA %v, bundle of %d", leaf.PublicKeyAlgorithm, leaf.IsCA, len(m.bundle))
	}
	same, reasons := renewed(t, testTerms, m, start.Add(59*24*time.Hour), never)
	if reasons != "" || !same.serving.Leaf.Equal(leaf) {
		t.Errorf("renewed too early: %s", reasons)
	}
}

// Other pages state these.
func TestStatedTimes(t *testing.T) {
	t.Parallel()
	if Interval != 10*time.Second || PropagationTime != time.Minute {
		t.Errorf("a look every %s, a CA settles in %s", Interval, PropagationTime)
	}
}

func TestTheServingCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	first, _ := renewed(t, testTerms, &material{}, start, never)
	other, _ := renewed(t, testTerms, &material{}, start, never)
	foreign := *first
	foreign.serving = other.serving
	more := testTerms
	more.hosts = append(slices.Clone(testHosts), "more.test.svc")
	for name, test := range map[string]struct {
		terms terms
		from  *material
		after time.Duration
		want  string
	}{
		"at two thirds of its life":   {testTerms, first, 60*24*time.Hour + time.Second, "less than a third of the serving certificate's life is left"},
		"expired":                     {testTerms, first, 91 * 24 * time.Hour, "the serving certificate is expired or not yet valid"},
		"clock stepped back by hours": {testTerms, first, -2 * time.Hour, "there is no CA to sign with; the serving certificate is expired or not yet valid"},
		"of another CA":               {testTerms, &foreign, 0, "the serving certificate is not of the CA that signs"},
		"a host is missing":           {more, first, 0, "the serving certificate lacks a host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, reasons := renewed(t, test.terms, test.from, start.Add(test.after), never)
			if reasons != test.want {
				t.Errorf("got %q, want %q", reasons, test.want)
			}
			if m.serving.Leaf.Equal(test.from.serving.Leaf) {
				t.Error("the certificate is the same")
			}
			if test.after >= 0 && !m.authority.certificate.Equal(first.authority.certificate) {
				t.Error("the CA has changed")
			}
		})
	}
}

// During a rollout that changes the hosts, old and new replicas must not
// replace each other's certificate in turns.
func TestReplicasOfDifferentHostsAgree(t *testing.T) {
	t.Parallel()
	old, young := testTerms, testTerms
	old.hosts, young.hosts = []string{"old.test.svc", "10.0.0.1"}, []string{"new.test.svc", "::1"}
	m, _ := renewed(t, old, &material{}, start, never)
	m, reasons := renewed(t, young, m, start, never)
	if reasons == "" {
		t.Fatal("the new host was not added")
	}
	for range 3 {
		for _, terms := range []terms{old, young} {
			if m, reasons = renewed(t, terms, m, start, never); reasons != "" {
				t.Fatalf("renewed without need: %s", reasons)
			}
		}
	}
	m, _ = renewed(t, young, m, start.Add(61*24*time.Hour), never)
	if diff := cmp.Diff([]string{"new.test.svc", "::1"}, hostsOf(m.serving.Leaf)); diff != "" {
		t.Errorf("the ordinary renewal forgets the hosts of before: %s", diff)
	}
}

func TestTheCAIsReplacedInTwoSteps(t *testing.T) {
	t.Parallel()
	first, _ := renewed(t, testTerms, &material{}, start, never)
	ca := first.authority.certificate
	now := start.Add(CALife*2/3 + time.Hour)
	announced, reasons := renewed(t, testTerms, first, now, never)
	if !strings.Contains(reasons, "its successor is trusted") {
		t.Errorf("got %q", reasons)
	}
	if !announced.authority.certificate.Equal(ca) || announced.successor == nil || len(announced.bundle) != 2 {
		t.Fatal("the old CA does not sign any more, or the new one is not trusted yet")
	}
	waiting, reasons := renewed(t, testTerms, announced, now.Add(time.Hour), never)
	if reasons != "" || !waiting.authority.certificate.Equal(ca) {
		t.Errorf("not settled, and yet: %s", reasons)
	}
	promoted, reasons := renewed(t, testTerms, announced, now.Add(time.Hour), always)
	if !strings.Contains(reasons, "has been trusted for long enough and signs; the serving certificate is not of the CA that signs") {
		t.Errorf("got %q", reasons)
	}
	if !promoted.authority.certificate.Equal(announced.successor.certificate) || promoted.successor != nil {
		t.Error("the successor does not sign")
	}
	if len(promoted.bundle) != 2 || !promoted.bundle[0].Equal(ca) {
		t.Error("who serves a certificate of the old CA is not believed any more")
	}
	pruned, _ := renewed(t, testTerms, promoted, now.Add(62*24*time.Hour), always)
	if len(pruned.bundle) != 1 || pruned.bundle[0].Equal(ca) {
		t.Errorf("the next ordinary renewal leaves %d CAs", len(pruned.bundle))
	}
}

func TestACAThatIsAboutToEndDoesNotWait(t *testing.T) {
	t.Parallel()
	first, _ := renewed(t, testTerms, &material{}, start, never)
	for name, now := range map[string]time.Time{
		"before the end": start.Add(CALife - time.Hour),
		"after the end":  start.Add(CALife + time.Hour),
	} {
		m, reasons := renewed(t, testTerms, first, now, never)
		if m.authority.certificate.Equal(first.authority.certificate) {
			t.Errorf("%s: the old CA signs: %s", name, reasons)
		}
		if _, reasons = renewed(t, testTerms, m, now, never); reasons != "" {
			t.Errorf("%s: not at rest: %s", name, reasons)
		}
	}
}

func TestDamageIsRepaired(t *testing.T) {
	t.Parallel()
	first, _ := renewed(t, testTerms, &material{}, start, never)
	announced, _ := renewed(t, testTerms, first, start.Add(CALife*2/3+time.Hour), never)
	whole, err := announced.encode()
	if err != nil {
		t.Fatal(err)
	}
	strange, _ := renewed(t, testTerms, &material{}, start, never)
	strangeData, err := strange.encode()
	if err != nil {
		t.Fatal(err)
	}
	for key, keeps := range map[string]bool{
		keyBundle: false, keyAuthority: true, keySuccessorCA: true, keyServing: true, keyServingKey: true,
	} {
		for name, text := range map[string][]byte{
			"missing": nil, "empty": {}, "garbage": []byte("garbage"), "cut off": whole[key][:len(whole[key])/2],
			"of another": strangeData[sameKindOf(key)],
		} {
			t.Run(key+" is "+name, func(t *testing.T) {
				t.Parallel()
				data := maps.Clone(whole)
				data[key] = text
				now := start.Add(CALife*2/3 + 2*time.Hour)
				m, _ := renewed(t, testTerms, decode(data), now, never)
				if _, reasons := renewed(t, testTerms, m, now, never); reasons != "" {
					t.Errorf("not at rest: %s", reasons)
				}
				if keeps && !slices.ContainsFunc(m.bundle, first.authority.certificate.Equal) {
					t.Error("who serves a certificate of before is not believed any more")
				}
			})
		}
	}
}

func TestTheBundleIsBounded(t *testing.T) {
	t.Parallel()
	m := &material{}
	for range 3 * maxBundle {
		m, _ = renewed(t, testTerms, &material{bundle: m.bundle}, start, never)
	}
	if len(m.bundle) != maxBundle || !m.bundle[maxBundle-1].Equal(m.authority.certificate) {
		t.Errorf("%d CAs are trusted", len(m.bundle))
	}
}

// sameKindOf is the key of a whole Secret that holds the same kind of thing.
func sameKindOf(key string) string {
	if key == keySuccessorCA {
		return keyAuthority
	}
	return key
}
