// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/ow-kai/ascend-operator/internal/keyring"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

func TestTheFirstReplicaMakesTheSecret(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	if ring := keyring.New(s.Client, s.Client, s.clock).Ring(); ring != nil {
		t.Fatalf("%v before it is loaded", ring)
	}
	first, second := s.replica(), s.replica()
	data := s.secret().Data
	if len(data) != 1 {
		t.Fatalf("%d keys", len(data))
	}
	var entry struct {
		Key                   string
		CreatedAt, ActiveFrom time.Time
	}
	id := first.Ring().Active()
	if err := json.Unmarshal(data[id], &entry); err != nil {
		t.Fatal(err)
	}
	secret, err := base64.StdEncoding.DecodeString(entry.Key)
	if err != nil || len(secret) != 32 || bytes.Equal(secret, make([]byte, 32)) {
		t.Errorf("the key has %d bytes, %v", len(secret), err)
	}
	if !entry.CreatedAt.Equal(beginning) || !entry.ActiveFrom.Equal(beginning) {
		t.Errorf("made at %s, active from %s; the first key seals at once", entry.CreatedAt, entry.ActiveFrom)
	}
	if err := second.Ring().CheckSubmission(sealed(t, first)); err != nil {
		t.Errorf("one replica does not know the seal of the other: %v", err)
	}
	if first.NeedLeaderElection() {
		t.Error("a replica that does not lead does not seal")
	}
}

func TestRotationOnRequest(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a, b := s.replica(), s.replica()
	before, old := sealed(t, a), a.Ring().Active()
	s.askForRotation()
	s.load(a)
	if _, still := s.secret().Annotations[keyring.RotateAnnotation]; still || len(s.secret().Data) != 2 {
		t.Fatalf("annotation still there: %t; %d keys", still, len(s.secret().Data))
	}
	if a.Ring().Active() != old {
		t.Error("seals with a key that others may not have read")
	}
	s.pass(keyring.Delay-keyring.PollInterval, a, b)
	if a.Ring().Active() != old || b.Ring().Active() != old {
		t.Error("the new key seals before its time")
	}
	s.pass(keyring.PollInterval, a, b)
	next := a.Ring().Active()
	if next == old || b.Ring().Active() != next {
		t.Errorf("after a minute %s and %s seal, before it was %s", next, b.Ring().Active(), old)
	}
	if err := b.Ring().CheckSubmission(before); err != nil {
		t.Errorf("what was sealed before: %v", err)
	}
	if id, _ := seal.KeyOf(sealed(t, b).Requester.Seal); id != next {
		t.Errorf("sealed with %s", id)
	}
}

// Whatever asks for a key all the time, such as a tool that applies the
// annotation again and again, gets one a minute at most.
func TestRotationOnRequestIsBounded(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a := s.replica()
	for range 12 {
		s.askForRotation()
		s.pass(keyring.PollInterval, a)
	}
	if n := len(s.secret().Data); n > 4 {
		t.Errorf("%d keys in two minutes", n)
	}
}

func TestRotationByAge(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a, b := s.replica(), s.replica()
	old := a.Ring().Active()
	s.pass(keyring.MaxAge, a, b)
	if n := len(s.secret().Data); n != 1 {
		t.Fatalf("%d keys before the first is too old", n)
	}
	s.pass(keyring.PollInterval, a, b)
	s.pass(keyring.Delay, a, b)
	if n := len(s.secret().Data); n != 2 || a.Ring().Active() == old || a.Ring().Active() != b.Ring().Active() {
		t.Errorf("%d keys, %s and %s seal", n, a.Ring().Active(), b.Ring().Active())
	}

	short := keyring.New(s.Client, s.Client, s.clock)
	short.MaxAge = time.Hour
	s.pass(2*time.Hour, short)
	if n := len(s.secret().Data); n < 3 {
		t.Errorf("%d keys: MaxAge does not count", n)
	}
}

func TestOldKeysGoWhenNothingNeedsThem(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a := s.replica()
	old := a.Ring().Active()
	s.askForRotation()
	s.pass(2*time.Minute, a)
	has := func() bool { _, ok := s.secret().Data[old]; return ok }

	s.pass(100*time.Hour, a)
	if !has() {
		t.Fatal("removed, though nobody can tell whether it is in use")
	}
	a.InUse = func(context.Context) (map[string]bool, error) { return nil, errors.New("the cache is empty yet") }
	s.pass(time.Minute, a)
	if !has() {
		t.Fatal("removed, though nobody could tell whether it is in use")
	}
	a.InUse = func(context.Context) (map[string]bool, error) { return map[string]bool{old: true}, nil }
	s.pass(time.Minute, a)
	if !has() {
		t.Fatal("removed, though it is in use")
	}
	a.InUse = func(context.Context) (map[string]bool, error) { return map[string]bool{}, nil }
	s.pass(time.Minute, a)
	if has() || a.Ring().Knows(old) || len(s.secret().Data) != 1 {
		t.Error("not removed")
	}
}

func TestAKeyIsKeptForADayAfterIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a := s.replica()
	a.InUse = func(context.Context) (map[string]bool, error) { return nil, nil }
	old := a.Ring().Active()
	s.askForRotation()
	s.pass(keyring.Delay, a)
	s.pass(keyring.RetainFor-time.Minute, a)
	if !a.Ring().Knows(old) {
		t.Error("removed within a day")
	}
	s.pass(2*time.Minute, a)
	if a.Ring().Knows(old) || a.Ring() == nil {
		t.Error("not removed after a day")
	}
}

func TestRemovingAnEntryVoidsWhatItSealed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a := s.replica()
	pending, old := sealed(t, a), a.Ring().Active()
	s.askForRotation()
	s.pass(2*time.Minute, a)
	s.edit(func(secret *corev1.Secret) { delete(secret.Data, old) })
	s.load(a)
	if err := a.Ring().CheckSubmission(pending); !errors.Is(err, seal.ErrUnknownKey) {
		t.Errorf("%v", err)
	}
	// All of them: a new first key, at once.
	s.edit(func(secret *corev1.Secret) { secret.Data = nil })
	s.load(a)
	if err := a.Ring().CheckSubmission(pending); !errors.Is(err, seal.ErrUnknownKey) || len(s.secret().Data) != 1 {
		t.Errorf("%v", err)
	}
}

func TestADeletedSecretIsWrittenAnew(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a := s.replica()
	s.askForRotation()
	s.pass(2*time.Minute, a)
	pending, was := sealed(t, a), s.secret()
	if err := s.Delete(t.Context(), was); err != nil {
		t.Fatal(err)
	}
	s.load(a)
	if !maps.EqualFunc(was.Data, s.secret().Data, bytes.Equal) {
		t.Error("other keys than before")
	}
	if err := s.replica().Ring().CheckSubmission(pending); err != nil {
		t.Errorf("void: %v", err)
	}
}

func TestStartLoadsAndGoesOn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a := keyring.New(s.Client, s.Client, s.clock)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Start(ctx) }()
	await(t, func() bool { return s.clock.HasWaiters() })
	if a.Ring() == nil {
		t.Fatal("not loaded")
	}
	old := a.Ring().Active()
	s.askForRotation()
	for range 8 {
		s.clock.Step(keyring.PollInterval)
		await(t, func() bool { return s.clock.HasWaiters() })
	}
	if a.Ring().Active() == old {
		t.Error("does not look at the Secret again")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func await(t *testing.T, condition func() bool) {
	t.Helper()
	for range 60_000 {
		if condition() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("waited in vain")
}
