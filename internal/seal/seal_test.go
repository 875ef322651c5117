// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

// Made by other means, so that a change of the form, which would void every
// seal there is, is noticed:
//
//	printf '{"admittedAt":…}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0101… -binary | basenc --base64url
const (
	goldenSubmission = "v1.00000001.rtIaBe7vK5wWLX8Vv5AosNzK7uxqOKH_X0nrql432wg"
	goldenVerdict    = "v1.00000001.SQvY-CU5JvOLEAeZ9xAoIITGSXbBthb__WwJfX2eEZw"
)

func TestGolden(t *testing.T) {
	r := ring(t, key("00000001", 1))
	if got := sealedSubmission(t, r).Requester.Seal; got != goldenSubmission {
		t.Errorf("submission\ngot  %s\nwant %s", got, goldenSubmission)
	}
	if got := sealedVerdict(t, r).Approval.Seal; got != goldenVerdict {
		t.Errorf("verdict\ngot  %s\nwant %s", got, goldenVerdict)
	}
	if len(goldenVerdict) > 128 {
		t.Error("longer than the schema allows")
	}
}

// Each seal stands on a submission that it was not made for, or is no seal.
func TestForgedCopiedAndReplayedSubmissions(t *testing.T) {
	r := ring(t, key("00000001", 1), key("00000002", 2))
	good := sealedSubmission(t, r).Requester.Seal
	mac := good[len("v1.00000001."):]
	other := submission()
	other.Name = "act-8"
	ofOther, err := r.SealSubmission(other)
	if err != nil {
		t.Fatal(err)
	}
	stranger := sealedSubmission(t, ring(t, key("00000001", 3))).Requester.Seal
	unknown := sealedSubmission(t, ring(t, key("0000000f", 1))).Requester.Seal

	for name, test := range map[string]struct {
		seal string
		want error
	}{
		"as made":                         {good, nil},
		"none":                            {"", seal.ErrMissing},
		"of another action":               {ofOther, seal.ErrForged},
		"of an approval":                  {sealedVerdict(t, r).Approval.Seal, seal.ErrForged},
		"by another secret":               {stranger, seal.ErrForged},
		"by an unknown key":               {unknown, seal.ErrUnknownKey},
		"under another known key":         {"v1.00000002." + mac, seal.ErrForged},
		"under an unknown key":            {"v1.00000003." + mac, seal.ErrUnknownKey},
		"of zeros":                        {"v1.00000001." + strings.Repeat("A", 43), seal.ErrForged},
		"another letter":                  {good[:20] + flip(good[20]) + good[21:], seal.ErrForged},
		"truncated":                       {good[:len(good)-1], seal.ErrMalformed},
		"truncated to half":               {good[:len(good)/2], seal.ErrMalformed},
		"without a mac":                   {"v1.00000001.", seal.ErrMalformed},
		"without a key":                   {"v1.." + mac, seal.ErrMalformed},
		"without a version":               {"00000001." + mac, seal.ErrMalformed},
		"of a version to come":            {"v2" + good[2:], seal.ErrMalformed},
		"in capitals":                     {"V1" + good[2:], seal.ErrMalformed},
		"with a key id in capitals":       {"v1.0000000A." + mac, seal.ErrMalformed},
		"with a key id too long":          {"v1.000000001." + mac, seal.ErrMalformed},
		"with another dot":                {good + ".", seal.ErrMalformed},
		"with a space before":             {" " + good, seal.ErrMalformed},
		"with a line break after":         {good + "\n", seal.ErrMalformed},
		"with a line break in place":      {good[:len(good)-1] + "\n", seal.ErrMalformed},
		"with a line break within":        {good[:20] + "\n" + good[20:], seal.ErrMalformed},
		"padded":                          {good + "=", seal.ErrMalformed},
		"with another trailing bit":       {sameBytes(t, good), seal.ErrMalformed},
		"in base64 of the other alphabet": {"v1.00000001.+" + mac[1:], seal.ErrMalformed},
		"in hexadecimal":                  {fmt.Sprintf("v1.00000001.%x", mac), seal.ErrMalformed},
		"twice":                           {good + good, seal.ErrMalformed},
		"very long":                       {strings.Repeat("v1.", 1<<16), seal.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			s := submission()
			s.Requester.Seal = test.seal
			if err := r.CheckSubmission(s); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if _, ok := seal.KeyOf(test.seal); ok == (errors.Is(test.want, seal.ErrMalformed) || errors.Is(test.want, seal.ErrMissing)) {
				t.Errorf("KeyOf says %t", ok)
			}
		})
	}
}

// sameBytes spells the mac of a seal in another way: 43 characters have two
// bits more than 32 bytes.
func sameBytes(t *testing.T, good string) string {
	t.Helper()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(good) - 1
	other := good[:last] + string(alphabet[strings.IndexByte(alphabet, good[last])+1])
	a, errA := base64.RawURLEncoding.DecodeString(good[len("v1.00000001."):])
	b, errB := base64.RawURLEncoding.DecodeString(other[len("v1.00000001."):])
	if errA != nil || errB != nil || !bytes.Equal(a, b) || other == good {
		t.Fatalf("%s and %s are not two spellings of the same", good, other)
	}
	return other
}

func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

// A seal made for one verdict does not fit another one.
func TestForgedCopiedAndReplayedVerdicts(t *testing.T) {
	r := ring(t, key("00000001", 1))
	good := sealedVerdict(t, r)
	for name, change := range map[string]func(*seal.Verdict){
		"another action of the name": func(v *seal.Verdict) { v.UID = "6c1e" },
		"another namespace":          func(v *seal.Verdict) { v.Namespace = "ascend-system" },
		"another action":             func(v *seal.Verdict) { v.Name = "act-8" },
		"another person":             func(v *seal.Verdict) { v.Approval.Approver = "mallory" },
		"another stage":              func(v *seal.Verdict) { v.Approval.Stage = "board" },
		"the same stage again":       func(v *seal.Verdict) { v.Approval.Stage = "review@2026-03-01T09:40:00.000000Z" },
		"break-glass": func(v *seal.Verdict) {
			v.Approval.Verdict, v.Approval.Stage = v1alpha1.VerdictOverride, v1alpha1.OverrideStage
		},
		"another right":     func(v *seal.Verdict) { v.Approval.As = "user:alice" },
		"another request":   func(v *seal.Verdict) { v.Approval.SpecDigest = revision },
		"another workflow":  func(v *seal.Verdict) { v.Approval.WorkflowRevision = digest },
		"a submission seal": func(v *seal.Verdict) { v.Approval.Seal = sealedSubmission(t, r).Requester.Seal },
	} {
		v := good
		change(&v)
		if err := r.CheckVerdict(v); !errors.Is(err, seal.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, test := range map[string]struct {
		seal string
		want error
	}{"none": {"", seal.ErrMissing}, "no seal": {"yes", seal.ErrMalformed}, "unknown key": {"v1.ffffffff" + good.Approval.Seal[11:], seal.ErrUnknownKey}} {
		v := good
		v.Approval.Seal = test.seal
		if err := r.CheckVerdict(v); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRotation(t *testing.T) {
	first, second := key("00000001", 1), key("00000002", 2)
	before, after, end := ring(t, first), ring(t, second, first), ring(t, second)
	s := sealedSubmission(t, before)
	if err := after.CheckSubmission(s); err != nil {
		t.Errorf("what was sealed before does not hold any more: %v", err)
	}
	if err := end.CheckSubmission(s); !errors.Is(err, seal.ErrUnknownKey) {
		t.Errorf("the key is gone, and its seal: %v", err)
	}
	if id, _ := seal.KeyOf(sealedSubmission(t, after).Requester.Seal); id != "00000002" || after.Active() != id {
		t.Errorf("sealed with %s", id)
	}
	if !after.Knows("00000001") || !after.Knows("00000002") || end.Knows("00000001") {
		t.Error("knows the wrong keys")
	}
}

func TestRingsThatCannotBe(t *testing.T) {
	for name, test := range map[string]struct {
		active string
		keys   []seal.Key
	}{
		"no keys":                  {"", nil},
		"none of them active":      {"00000002", []seal.Key{key("00000001", 1)}},
		"an id too short":          {"1", []seal.Key{key("1", 1)}},
		"an id with a dot":         {"0000.001", []seal.Key{key("0000.001", 1)}},
		"an id in capitals":        {"0000000A", []seal.Key{key("0000000A", 1)}},
		"an id twice":              {"00000001", []seal.Key{key("00000001", 1), key("00000001", 2)}},
		"a secret of 31 bytes":     {"00000001", []seal.Key{{ID: "00000001", Secret: make([]byte, 31)}}},
		"another without a secret": {"00000001", []seal.Key{key("00000001", 1), {ID: "00000002"}}},
	} {
		if r, err := seal.NewRing(test.active, test.keys); err == nil || r != nil {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}

func TestNoRingSealsAndBelievesNothing(t *testing.T) {
	var none *seal.Ring
	s, v := sealedSubmission(t, ring(t, key("00000001", 1))), sealedVerdict(t, ring(t, key("00000001", 1)))
	_, sealSubmission := none.SealSubmission(s)
	_, sealVerdict := none.SealVerdict(v)
	for name, err := range map[string]error{
		"SealSubmission": sealSubmission, "SealVerdict": sealVerdict,
		"CheckSubmission": none.CheckSubmission(s), "CheckVerdict": none.CheckVerdict(v),
	} {
		if !errors.Is(err, seal.ErrNoRing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if none.Knows("00000001") || none.Active() != "" || fmt.Sprint(none) != "no ring" {
		t.Error("no ring has a key")
	}
}

func TestARingIsNotChangedThroughItsKeys(t *testing.T) {
	k := key("00000001", 1)
	r := ring(t, k)
	clear(k.Secret)
	if err := ring(t, key("00000001", 1)).CheckSubmission(sealedSubmission(t, r)); err != nil {
		t.Error(err)
	}
}

// A secret shows in no print, no JSON and no error.
func TestSecretsDoNotShow(t *testing.T) {
	const canary = "canary-canary-canary-canary-canary"
	k := seal.Key{ID: "00000001", Secret: []byte(canary)}
	r := ring(t, k)
	forged := submission()
	forged.Requester.Seal = "v1.00000001." + strings.Repeat("A", 43)
	want, _ := r.SealSubmission(submission())
	_, short := seal.NewRing("00000001", []seal.Key{{ID: "00000001", Secret: []byte(canary[:31])}})
	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		for _, value := range []any{k, &k, r, *r, []seal.Key{k}, map[string]any{"ring": r}, struct{ K seal.Key }{k}} {
			fmt.Fprintf(&shown, verb+"\n", value)
		}
	}
	for _, value := range []any{k, &k, r, []seal.Key{k}} {
		text, err := json.Marshal(value)
		fmt.Fprintf(&shown, "%s %v\n", text, err)
	}
	fmt.Fprintln(&shown, r.CheckSubmission(forged), short)
	for _, secret := range []string{
		"canary", fmt.Sprintf("%x", "canary"), "99 97 110 97", "0x63, 0x61", base64.StdEncoding.EncodeToString([]byte("canary")), want[12:],
	} {
		if strings.Contains(shown.String(), secret) {
			t.Fatalf("shows %q in:\n%s", secret, shown.String())
		}
	}
}
