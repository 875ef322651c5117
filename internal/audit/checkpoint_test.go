// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

func TestACheckpointIsVerifiedWithThePublicKeyAlone(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	to := &sink{name: "memory"}
	log := open(t, audit.Options{Sinks: []audit.Sink{to}})
	sign := func(head audit.Head) (*audit.Checkpoint, error) { return audit.SignCheckpoint(private, head, noon) }
	if err := log.Append(t.Context(), sample("act-1")); err != nil {
		t.Fatal(err)
	}
	signed, err := log.Checkpoint(t.Context(), sign)
	if err != nil {
		t.Fatal(err)
	}
	records := verified(t, to.kept.Bytes())
	last, before := records[len(records)-1], records[len(records)-2]
	if last.Event != audit.EventCheckpoint || last.Journal.Checkpoint.Head != (audit.Head{Chain: before.Chain, Sequence: 2, Hash: before.Hash}) {
		t.Fatalf("record %+v with %+v does not sign the one before", last, last.Journal)
	}
	text, err := json.Marshal(last.Journal.Checkpoint) // as who reads the file gets it
	if err != nil {
		t.Fatal(err)
	}
	var read audit.Checkpoint
	if err := json.Unmarshal(text, &read); err != nil || read != *signed {
		t.Fatalf("read %+v, signed %+v (error %v)", read, signed, err)
	}
	if err := read.Verify(public); err != nil || read.KeyID != audit.KeyID(public) || len(read.KeyID) != 16 {
		t.Errorf("%+v: %v", read, err)
	}
	other, _, _ := ed25519.GenerateKey(nil)
	for name, forge := range map[string]func(*audit.Checkpoint) ed25519.PublicKey{
		"another key":      func(*audit.Checkpoint) ed25519.PublicKey { return other },
		"no key":           func(*audit.Checkpoint) ed25519.PublicKey { return nil },
		"another sequence": func(c *audit.Checkpoint) ed25519.PublicKey { c.Sequence++; return public },
		"another hash":     func(c *audit.Checkpoint) ed25519.PublicKey { c.Hash = "sha256:0"; return public },
		"another chain":    func(c *audit.Checkpoint) ed25519.PublicKey { c.Chain = "x"; return public },
		"another time":     func(c *audit.Checkpoint) ed25519.PublicKey { c.Time = c.Time.Add(1); return public },
		"another key's id": func(c *audit.Checkpoint) ed25519.PublicKey { c.KeyID = "0"; return public },
		"no signature":     func(c *audit.Checkpoint) ed25519.PublicKey { c.Signature = ""; return public },
	} {
		forged := read
		if err := forged.Verify(forge(&forged)); !errors.Is(err, audit.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACheckpointThatCannotBeSignedIsNone(t *testing.T) {
	t.Parallel()
	to := &sink{name: "memory"}
	log := open(t, audit.Options{Sinks: []audit.Sink{to}})
	failing := errors.New("no key")
	if _, err := log.Checkpoint(t.Context(), func(audit.Head) (*audit.Checkpoint, error) { return nil, failing }); !errors.Is(err, failing) {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(log.Append(t.Context(), sample("act-1")), log.Check(t.Context())); err != nil {
		t.Error(err)
	}
	if got, want := to.story(t), "started act-1"; got != want {
		t.Errorf("story %q, want %q", got, want)
	}
}

func TestACheckpointTellsTheTimeOfItsSigning(t *testing.T) {
	t.Parallel()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := audit.SignCheckpoint(private, audit.Head{Chain: "c", Sequence: 1, Hash: "h"}, noon)
	if err != nil || c.Time.Location() != time.UTC || !strings.HasSuffix(c.Time.Format(time.RFC3339Nano), "11:00:00.123456Z") {
		t.Errorf("%+v (error %v)", c, err)
	}
}
