// SPDX-License-Identifier: Apache-2.0

package anchor_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/anchor"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// replica is an operator's process, as far as its trail goes.
type replica struct {
	*anchor.Anchorer
	out bytes.Buffer
}

func newReplica(t *testing.T, api client.Client) *replica {
	t.Helper()
	r := &replica{}
	trail, err := audit.Open(audit.Options{Sinks: []audit.Sink{audit.NewWriter("text", &r.out)}})
	if err != nil {
		t.Fatal(err)
	}
	r.Anchorer = &anchor.Anchorer{Log: trail, Live: api, Writer: api, Clock: clocktesting.NewFakeClock(noon)}
	return r
}

func (r *replica) records(t *testing.T) []audit.Record {
	t.Helper()
	var records []audit.Record
	for line := range bytes.Lines(r.out.Bytes()) {
		var record audit.Record
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatal(err)
		}
		records = append(records, record)
	}
	return records
}

// anchors are the checkpoints and public keys in the ConfigMap.
func anchors(t *testing.T, api client.Client) (chains map[string]audit.Checkpoint, keys map[string]ed25519.PublicKey) {
	t.Helper()
	var found corev1.ConfigMap
	if err := api.Get(context.Background(), client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: anchor.ConfigMapName}, &found); err != nil {
		t.Fatal(err)
	}
	chains, keys = map[string]audit.Checkpoint{}, map[string]ed25519.PublicKey{}
	for name, text := range found.Data {
		if chain, isChain := strings.CutPrefix(name, anchor.ChainPrefix); isChain {
			var c audit.Checkpoint
			if err := json.Unmarshal([]byte(text), &c); err != nil {
				t.Fatal(err)
			}
			chains[chain] = c
			continue
		}
		block, rest := pem.Decode([]byte(text))
		if block == nil || block.Type != "PUBLIC KEY" || len(rest) > 0 {
			t.Fatalf("%s: %q is no public key in PEM", name, text)
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		public, isEd25519 := key.(ed25519.PublicKey)
		if !isEd25519 {
			t.Fatalf("%s: a key of type %T", name, key)
		}
		keys[strings.TrimPrefix(name, anchor.KeyPrefix)] = public
	}
	return chains, keys
}

func secret(t *testing.T, api client.Client) *corev1.Secret {
	t.Helper()
	var found corev1.Secret
	if err := api.Get(context.Background(), client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: anchor.SecretName}, &found); err != nil {
		t.Fatal(err)
	}
	return &found
}

// faultyAPI is an API server of which some calls fail.
func faultyAPI(fails func(verb string, object client.Object) error) client.Client {
	return fake.NewClientBuilder().WithScheme(clientgoscheme.Scheme).WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
			if err := fails("get", o); err != nil {
				return err
			}
			return c.Get(ctx, key, o, options...)
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.CreateOption) error {
			if err := fails("create", o); err != nil {
				return err
			}
			return c.Create(ctx, o, options...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch, options ...client.PatchOption) error {
			if err := fails("patch", o); err != nil {
				return err
			}
			return c.Patch(ctx, o, patch, options...)
		},
	}).Build()
}

func newAPI() client.Client {
	return fake.NewClientBuilder().WithScheme(clientgoscheme.Scheme).Build()
}

func appendTo(t *testing.T, r *replica, name string) {
	t.Helper()
	if err := r.Log.Append(t.Context(), audit.Record{Name: name}); err != nil {
		t.Fatal(err)
	}
}

func TestEveryChainIsSignedWhereItEnds(t *testing.T) {
	t.Parallel()
	api := newAPI()
	r := newReplica(t, api)
	for range 3 { // nothing is signed twice
		if err := r.Anchor(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(r.records(t)); n != 2 {
		t.Fatalf("%d records of a chain that has not gone on", n)
	}
	appendTo(t, r, "act-1")
	if err := errors.Join(r.Anchor(t.Context()), r.Finish(t.Context())); err != nil {
		t.Fatal(err)
	}
	records := r.records(t)
	var events []string
	for _, record := range records {
		events = append(events, strings.TrimPrefix(string(record.Event), "audit."))
	}
	if got, want := strings.Join(events, " "), "started checkpoint  checkpoint stopped"; got != want {
		t.Errorf("records %q, want %q", got, want)
	}
	chains, keys := anchors(t, api)
	last := records[len(records)-1]
	c := chains[last.Chain]
	if c.Head != (audit.Head{Chain: last.Chain, Sequence: last.Sequence, Hash: last.Hash}) || len(chains) != 1 || len(keys) != 1 {
		t.Errorf("the anchor %+v is not that of the last record %+v", c, last)
	}
	for _, signed := range []audit.Checkpoint{c, *records[1].Journal.Checkpoint, *records[3].Journal.Checkpoint} {
		if err := signed.Verify(keys[signed.KeyID]); err != nil {
			t.Errorf("%+v: %v", signed, err)
		}
	}
}

func TestReplicasShareOneKey(t *testing.T) {
	t.Parallel()
	api := newAPI()
	var wait sync.WaitGroup
	replicas := make([]*replica, 8)
	for i := range replicas {
		replicas[i] = newReplica(t, api)
		wait.Go(func() {
			if err := replicas[i].Anchor(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	chains, keys := anchors(t, api)
	if len(chains) != 8 || len(keys) != 1 {
		t.Errorf("%d chains, %d keys", len(chains), len(keys))
	}
}

func TestARotatedKeyLeavesItsPublicHalf(t *testing.T) {
	t.Parallel()
	api := newAPI()
	r, other := newReplica(t, api), newReplica(t, api)
	if err := errors.Join(r.Anchor(t.Context()), other.Anchor(t.Context())); err != nil {
		t.Fatal(err)
	}
	asked := secret(t, api)
	asked.Annotations = map[string]string{anchor.RotateAnnotation: "now"}
	if err := api.Update(t.Context(), asked); err != nil {
		t.Fatal(err)
	}
	for _, each := range []*replica{r, other} {
		appendTo(t, each, "act")
		if err := each.Anchor(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if found := secret(t, api); len(found.Annotations) != 0 || bytes.Equal(found.Data[anchor.KeyField], asked.Data[anchor.KeyField]) {
		t.Errorf("the Secret has the annotations %v and the key of before", found.Annotations)
	}
	chains, keys := anchors(t, api)
	used := map[string]bool{}
	for _, c := range chains {
		used[c.KeyID] = true
		if err := c.Verify(keys[c.KeyID]); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if len(keys) != 2 || len(used) != 1 {
		t.Errorf("%d public keys, %d in use", len(keys), len(used))
	}
}

func TestADeletedKeyIsWrittenAnewAndADamagedOneIsNot(t *testing.T) {
	t.Parallel()
	api := newAPI()
	r := newReplica(t, api)
	if err := r.Anchor(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := secret(t, api)
	if err := api.Delete(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if err := r.Anchor(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := secret(t, api); !bytes.Equal(found.Data[anchor.KeyField], before.Data[anchor.KeyField]) {
		t.Error("another key")
	}
	for _, text := range []string{"", "CANARY-1", "-----BEGIN PRIVATE KEY-----\nQ0FOQVJZ\n-----END PRIVATE KEY-----\n"} {
		damaged := secret(t, api)
		damaged.Data = map[string][]byte{anchor.KeyField: []byte(text)}
		if err := api.Update(t.Context(), damaged); err != nil {
			t.Fatal(err)
		}
		err := r.Anchor(t.Context())
		if err == nil || !strings.Contains(err.Error(), "has no Ed25519 key") || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWhatCannotBeAnchoredIsAnchoredLater(t *testing.T) {
	t.Parallel()
	down := apierrors.NewServiceUnavailable("down")
	for name, fails := range map[string]func(verb string, o client.Object) bool{
		"the Secret cannot be read":       func(verb string, o client.Object) bool { return verb == "get" && isSecret(o) },
		"the Secret cannot be made":       func(verb string, o client.Object) bool { return verb == "create" && isSecret(o) },
		"the ConfigMap cannot be made":    func(verb string, o client.Object) bool { return verb == "create" && !isSecret(o) },
		"the ConfigMap cannot be patched": func(verb string, o client.Object) bool { return verb == "patch" },
		"the ConfigMap cannot be read":    func(verb string, o client.Object) bool { return verb == "get" && !isSecret(o) },
		"nothing answers":                 func(string, client.Object) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failing := true
			api := faultyAPI(func(verb string, o client.Object) error {
				if failing && fails(verb, o) {
					return down
				}
				return nil
			})
			r := newReplica(t, api)
			for range 2 {
				if err := r.Anchor(t.Context()); !apierrors.IsServiceUnavailable(err) {
					t.Fatalf("got %v", err)
				}
			}
			failing = false
			if err := r.Anchor(t.Context()); err != nil {
				t.Fatal(err)
			}
			failing = true // with the key in memory it goes on, and keeps what could not be written
			appendTo(t, r, "act-1")
			written := r.Anchor(t.Context()) == nil
			failing = false
			if err := r.Anchor(t.Context()); err != nil {
				t.Fatal(err)
			}
			records := r.records(t)
			chains, keys := anchors(t, api)
			c := chains[records[0].Chain]
			if err := c.Verify(keys[c.KeyID]); err != nil || c.Sequence != uint64(len(records)-1) || len(records) != 4 {
				t.Errorf("anchor %+v of %d records, written at once %v: %v", c, len(records), written, err)
			}
		})
	}
}

func isSecret(o client.Object) bool {
	_, is := o.(*corev1.Secret)
	return is
}

func TestTheNewestChainsAreKept(t *testing.T) {
	t.Parallel()
	api := newAPI()
	data := map[string]string{"chain.unreadable": "CANARY", "somebody": "else's"}
	for i := range 300 {
		text, _ := json.Marshal(audit.Checkpoint{Head: audit.Head{Chain: strconv.Itoa(i)}, Time: noon.Add(time.Duration(i) * time.Second)})
		data[fmt.Sprint("chain.", i)] = string(text)
	}
	there := &corev1.ConfigMap{Data: data}
	there.Namespace, there.Name = v1alpha1.GlobalNamespace, anchor.ConfigMapName
	if err := api.Create(t.Context(), there); err != nil {
		t.Fatal(err)
	}
	r := newReplica(t, api)
	if err := r.Anchor(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := api.Get(t.Context(), client.ObjectKeyFromObject(there), there); err != nil {
		t.Fatal(err)
	}
	chains := 0
	for name := range there.Data {
		if strings.HasPrefix(name, anchor.ChainPrefix) {
			chains++
		}
	}
	if chains != anchor.MaxChains || there.Data["chain.299"] == "" || there.Data["chain.45"] == "" || there.Data["chain.44"] != "" ||
		there.Data["chain.unreadable"] != "" || there.Data["somebody"] == "" || there.Data[anchor.ChainPrefix+r.Log.Head().Chain] == "" {
		t.Errorf("%d chains: %v", chains, there.Data)
	}
}

func TestATrailThatCannotBeWrittenIsNotSigned(t *testing.T) {
	t.Parallel()
	r := &replica{}
	trail, err := audit.Open(audit.Options{Sinks: []audit.Sink{audit.NewWriter("full", full{})}})
	if err != nil {
		t.Fatal(err)
	}
	api := newAPI()
	r.Anchorer = &anchor.Anchorer{Log: trail, Live: api, Writer: api, Clock: clocktesting.NewFakeClock(noon)}
	if err := r.Anchor(t.Context()); err != nil { // there is nothing to sign
		t.Error(err)
	}
	if err := r.Finish(t.Context()); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
	if chains, _ := anchors(t, api); len(chains) != 0 {
		t.Errorf("anchors of a chain without records: %v", chains)
	}
}

// full is a disk that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestStartAnchorsUntilItEnds(t *testing.T) {
	t.Parallel()
	api := newAPI()
	r := newReplica(t, api)
	clock := clocktesting.NewFakeClock(noon)
	r.Clock = clock
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Start(ctx) }()
	signed := func(sequence uint64) {
		t.Helper()
		deadline := time.Now().Add(time.Minute)
		for !clock.HasWaiters() && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
		chains, _ := anchors(t, api)
		if got := chains[r.Log.Head().Chain].Sequence; got != sequence {
			t.Errorf("signed up to %d, want %d", got, sequence)
		}
	}
	signed(1)
	appendTo(t, r, "act-1")
	clock.Step(anchor.Interval)
	signed(3)
	cancel()
	if err := <-ended; err != nil || r.NeedLeaderElection() {
		t.Errorf("got %v", err)
	}
}
