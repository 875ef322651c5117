// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/internal/keyring"
)

func TestMalformedSecrets(t *testing.T) {
	t.Parallel()
	good := written(canary, beginning, beginning)
	for name, data := range map[string]map[string][]byte{
		"no JSON":             {"00000001": []byte("canary")},
		"half of it":          {"00000001": good[:len(good)/2]},
		"empty":               {"00000001": nil},
		"null":                {"00000001": []byte("null")},
		"a list":              {"00000001": []byte(`["canary"]`)},
		"a number as key":     {"00000001": []byte(`{"key":7,"createdAt":"2026-03-01T09:30:00Z","activeFrom":"2026-03-01T09:30:00Z"}`)},
		"no base64":           {"00000001": []byte(`{"key":"canary-canary","createdAt":"2026-03-01T09:30:00Z","activeFrom":"2026-03-01T09:30:00Z"}`)},
		"no key":              {"00000001": []byte(`{"createdAt":"2026-03-01T09:30:00Z","activeFrom":"2026-03-01T09:30:00Z"}`)},
		"no times":            {"00000001": []byte(`{"key":"` + base64.StdEncoding.EncodeToString([]byte(canary)) + `"}`)},
		"the key as time":     {"00000001": []byte(`{"key":"","createdAt":"canary","activeFrom":"canary"}`)},
		"too short":           {"00000001": written(canary[:31], beginning, beginning)},
		"another name":        {"tls.key": good},
		"a name in capitals":  {"0000000A": good},
		"a name too long":     {"000000001": good},
		"several, all broken": {"00000001": []byte("canary"), "00000002": []byte("{}"), "x": nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, named(data))
			var said strings.Builder
			ctx := log.IntoContext(t.Context(), funcr.New(func(_, text string) { said.WriteString(text + "\n") }, funcr.Options{}))
			a := keyring.New(s.Client, s.Client, s.clock)
			err := a.Load(ctx)
			if err == nil || a.Ring() != nil {
				t.Fatalf("%v, %v", a.Ring(), err)
			}
			leaks(t, err.Error()+said.String())
			for id := range data {
				if strings.Count(said.String(), `"key"="`+id+`"`) != 1 {
					t.Errorf("entry %s is not named once in:\n%s", id, said.String())
				}
			}
			again := said.Len()
			if err := a.Load(ctx); err == nil || said.Len() != again {
				t.Errorf("%v; says it twice:\n%s", err, said.String())
			}
			if !maps.EqualFunc(data, s.secret().Data, bytes.Equal) {
				t.Error("what cannot be read was changed")
			}
			s.askForRotation() // a person decides to go on without it
			s.load(a)
			if a.Ring() == nil || len(s.secret().Data) != len(data)+1 {
				t.Error("no new key, though one was asked for")
			}
		})
	}
}

func TestABrokenEntryDoesNotHarmTheOthers(t *testing.T) {
	t.Parallel()
	s := newStage(t, named(map[string][]byte{"00000001": written(canary, beginning, beginning), "00000002": []byte("?")}))
	a := s.replica()
	if a.Ring().Active() != "00000001" || a.Ring().Knows("00000002") {
		t.Error(a.Ring())
	}
	s.pass(2*keyring.MaxAge, a)
	if _, kept := s.secret().Data["00000002"]; !kept || !slices.Contains(slices.Collect(maps.Keys(s.secret().Data)), a.Ring().Active()) {
		t.Error("the broken entry is gone, or rotation stopped")
	}
}

// Clocks of replicas differ: a first key from the future is used all the same,
// a later one waits.
func TestKeysOfTheFuture(t *testing.T) {
	t.Parallel()
	s := newStage(t, named(map[string][]byte{"00000001": written(canary, beginning.Add(time.Hour), beginning.Add(time.Hour))}))
	a := s.replica()
	if a.Ring().Active() != "00000001" {
		t.Error(a.Ring())
	}
	s.edit(func(secret *corev1.Secret) {
		secret.Data["00000002"] = written(canary, beginning.Add(2*time.Hour), beginning.Add(2*time.Hour))
	})
	s.load(a)
	if a.Ring().Active() != "00000001" || !a.Ring().Knows("00000002") {
		t.Error(a.Ring())
	}
}

// While the API server is away the keys stay as they were.
func TestOutage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	down, gets := false, 0
	away := errors.New("connection refused")
	wrapped, ok := s.Client.(client.WithWatch)
	if !ok {
		t.Fatal("no fake client")
	}
	s.Client = interceptor.NewClient(wrapped, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
			gets++
			if down {
				return away
			}
			return c.Get(ctx, key, into, options...)
		},
	})
	a := s.replica()
	pending := sealed(t, a)
	down = true
	if err := a.Load(t.Context()); !errors.Is(err, away) {
		t.Errorf("%v", err)
	}
	if err := a.Ring().CheckSubmission(pending); err != nil {
		t.Error(err)
	}

	// Reload asks once a second at most, and says what came of it.
	gets = 0
	s.clock.Step(time.Second)
	for range 100 {
		if err := a.Reload(); !errors.Is(err, away) {
			t.Errorf("%v", err)
		}
	}
	if gets != 1 {
		t.Errorf("asked %d times", gets)
	}
	down = false
	s.clock.Step(time.Second)
	if err := a.Reload(); err != nil || gets != 2 {
		t.Errorf("%v, asked %d times", err, gets)
	}
}

// Two replicas that are due at the same moment make one key.
func TestReplicasAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a := s.replica()
	s.askForRotation()
	var b *keyring.Keyring
	wrapped, ok := s.Client.(client.WithWatch)
	if !ok {
		t.Fatal("no fake client")
	}
	first := true
	slow := interceptor.NewClient(wrapped, interceptor.Funcs{
		Update: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.UpdateOption) error {
			if first { // between its read and its write
				first = false
				if err := a.Load(ctx); err != nil {
					return err
				}
			}
			return c.Update(ctx, object, options...)
		},
	})
	b = keyring.New(slow, slow, s.clock)
	s.load(b)
	if n := len(s.secret().Data); n != 2 {
		t.Errorf("%d keys", n)
	}
	s.pass(2*time.Minute, a, b)
	if a.Ring().Active() != b.Ring().Active() || len(s.secret().Data) != 2 {
		t.Errorf("%v and %v", a.Ring(), b.Ring())
	}
}

func TestKeysDoNotShow(t *testing.T) {
	t.Parallel()
	s := newStage(t, named(map[string][]byte{"00000001": written(canary, beginning, beginning), "00000002": []byte(canary)}))
	var said strings.Builder
	ctx := log.IntoContext(t.Context(), funcr.New(func(_, text string) { said.WriteString(text + "\n") }, funcr.Options{Verbosity: 9}))
	a := keyring.New(s.Client, s.Client, s.clock)
	a.InUse = func(context.Context) (map[string]bool, error) { return nil, nil }
	for range 4 {
		s.clock.Step(keyring.MaxAge)
		if err := a.Load(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete(t.Context(), s.secret()); err != nil {
		t.Fatal(err)
	}
	if err := a.Load(ctx); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		fmt.Fprintf(&said, verb+"\n", a)
	}
	for _, part := range []string{"Ignoring", "Adding", "Removing", "written anew", "keyring with ring of"} {
		if !strings.Contains(said.String(), part) {
			t.Errorf("%q is not said in:\n%s", part, said.String())
		}
	}
	leaks(t, said.String())
}
