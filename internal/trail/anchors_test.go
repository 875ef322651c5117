// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

func keyPEM(key any) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(key))}))
}

func TestParseAnchors(t *testing.T) {
	t.Parallel()
	one, other := *chainOf(1).sign(theKey), *chainOf(2).sign(theKey)
	other.Chain = "d"
	checkpoint := func(c audit.Checkpoint) string { return string(must(json.Marshal(c))) }
	data := map[string]string{AnchorPrefix + "c": checkpoint(one), AnchorPrefix + "d": checkpoint(other), KeyPrefix + one.KeyID: keyPEM(public(theKey)), "else": "x"}
	configMap := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "data": data}
	for name, text := range map[string]string{
		"YAML":                  string(must(yaml.Marshal(configMap))),
		"two documents of YAML": "# copied each day\n---\n" + string(must(yaml.Marshal(one))) + "---\n" + string(must(yaml.Marshal(other))),
		"JSON":                  "\n " + string(must(json.Marshal(configMap))),
		"lines":                 checkpoint(one) + "\n" + checkpoint(other) + "\n",
		"array":                 "[" + checkpoint(one) + "," + checkpoint(other) + "]",
	} {
		anchors, err := ParseAnchors([]byte(text))
		if err != nil || len(anchors.Checkpoints) != 2 || anchors.Checkpoints[0] != one {
			t.Errorf("%s: %+v, %v", name, anchors, err)
		}
		if name == "YAML" && (len(anchors.Keys) != 1 || !anchors.Keys[0].Equal(public(theKey))) {
			t.Errorf("keys %v", anchors.Keys)
		}
	}
	with := func(key, value string) string {
		return string(must(json.Marshal(map[string]any{"data": map[string]string{key: value}})))
	}
	for name, text := range map[string]string{
		"nothing": "", "null": "null", "a word": "hello", "a number": "1", "no JSON": "{", "an empty list": "[]", "empty data": `{"data":{}}`, "a null in it": "[null]",
		"another object": `{"kind":"Secret"}`, "data of another sort": `{"data":[1]}`, "no checkpoint": with(AnchorPrefix+"c", "x"), "without a hash": with(AnchorPrefix+"c", `{"chain":"c","sequence":1}`),
		"of another chain": with(AnchorPrefix+"e", checkpoint(one)), "no PEM": with(KeyPrefix+one.KeyID, "x"), "of another key": with(KeyPrefix+one.KeyID, keyPEM(public(otherKey))),
		"YAML that is none": "a: b: c", "a second document that is none": string(must(yaml.Marshal(one))) + "---\na: b: c\n", "an anchor twice": string(must(yaml.Marshal(one))) + "sequence: 1\n",
	} {
		if anchors, err := ParseAnchors([]byte(text)); err == nil {
			t.Errorf("%s: taken as %+v", name, anchors)
		}
	}
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	two := keyPEM(public(theKey)) + keyPEM(public(otherKey))
	if keys, err := ParseKeys([]byte(two)); err != nil || len(keys) != 2 || audit.KeyID(keys[0]) == audit.KeyID(keys[1]) {
		t.Errorf("%v, %v", keys, err)
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(theKey))})
	for name, text := range map[string]string{
		"nothing": "", "a private key": string(secret), "spoilt": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")})),
		"of another sort": keyPEM(&must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).PublicKey),
	} {
		if keys, err := ParseKeys([]byte(text)); err == nil {
			t.Errorf("%s: taken as %v", name, keys)
		}
	}
}

func TestComparison(t *testing.T) {
	t.Parallel()
	s := chainOf(6)
	var records []audit.Record
	for record, err := range Records(linesOf(text(s.lines)), nil) {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, *record)
	}
	of := func(r audit.Record) Decided {
		return Decided{Namespace: r.Namespace, Name: r.Name, UID: r.UID, Decision: string(r.Decision), Reason: r.Reason, SpecDigest: r.SpecDigest, PolicyRevision: r.PolicyRevision}
	}
	sound := of(records[2])
	late := records[2] // decided again, for the first record's decision did not come true
	late.Decision, late.PolicyRevision = "Denied", "newer"
	undone := records[2]
	undone.Event = audit.EventNotApplied
	elsewhere := func(r audit.Record) audit.Record { r.ResourceVersion += "0"; return r }
	for name, c := range map[string]struct {
		more   []audit.Record
		change func(*Decided)
		want   string
	}{
		"the same":                    {nil, func(*Decided) {}, ""},
		"another decision":            {nil, func(d *Decided) { d.Decision = "Denied" }, `decision is "Denied" in the cluster and "Approved" in the trail`},
		"another reason":              {nil, func(d *Decided) { d.Reason = "RuleAllowed" }, "reason is"},
		"another spec":                {nil, func(d *Decided) { d.SpecDigest = "sha256:00" }, "specDigest is"},
		"other policy":                {nil, func(d *Decided) { d.PolicyRevision = "x" }, "policyRevision is"},
		"no record":                   {nil, func(d *Decided) { d.UID = "other" }, "it is approved in the cluster, and the trail has no record of that"},
		"not applied":                 {[]audit.Record{undone}, func(*Decided) {}, "the trail has no record of that"},
		"a withdrawal was taken back": {[]audit.Record{elsewhere(undone)}, func(*Decided) {}, ""},
		"decided again":               {[]audit.Record{undone, func() audit.Record { r := late; r.Event = "action.denied"; return r }()}, func(d *Decided) { d.Decision, d.PolicyRevision = "Denied", "newer" }, ""},
		"the later one holds":         {[]audit.Record{func() audit.Record { r := late; r.Event = "action.denied"; return r }()}, func(*Decided) {}, "decision is"},
	} {
		for clock, step := range map[string]time.Duration{"": time.Hour, ", the clock was put back": -time.Hour} {
			t.Run(name+clock, func(t *testing.T) {
				t.Parallel()
				log := chainOf(6)
				log.now = log.now.Add(step)
				for _, r := range c.more {
					log.write(r)
				}
				action := sound
				c.change(&action)
				comparison := NewComparison()
				comparison.Add(action)
				comparison.Add(action) // listed twice
				report := verified(t, VerifyOptions{Visit: comparison.Visit}, log.lines)
				comparison.Finish(report)
				got := ""
				if fault := report.First(); fault != nil {
					got = fault.What
				}
				if report.Decisions.Actions != 1 || !strings.Contains(got, c.want) || (c.want == "") != report.Sound() {
					t.Errorf("%+v, %s", report.Decisions, got)
				}
			})
		}
	}
}
