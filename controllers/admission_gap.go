// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// The webhooks cannot know that it is the API server who calls them, unless it
// shows a certificate. Whoever reaches them can have any verdict sealed, in any
// name. That helps nobody while the API server asks the same webhooks before it
// stores a verdict, for then what is stored is whose it says it is. So:
//
//   - nothing is approved through people before a look at the mutating
//     configuration, made for that, has found it in order (Look), and
//   - when it was not in order for a while, no verdict from before the end of
//     that counts, however it came to be stored (Memory.Void).

// GuardMemory is what outlives a process that guards admission. keyring.Keyring
// is one.
type GuardMemory interface {
	// Load reads it anew.
	Load(ctx context.Context) error
	// Seen is the mark that was remembered last; empty: none.
	Seen() string
	// Remember a mark.
	Remember(ctx context.Context, seen string) error
	// Void voids all verdicts sealed before a moment, and remembers a mark.
	Void(ctx context.Context, before time.Time, seen string) error
}

// Settle is how long after the end of a gap verdicts still are void: API servers
// take a while to act by what they have stored, and the clocks of replicas
// differ.
const Settle = 10 * time.Second

// gap is what the guard knows of the mutating configuration. The zero value
// knows nothing.
type gap struct {
	mu     sync.Mutex
	loaded bool      // the memory is up to date
	why    string    // in which way it is open; empty: it is not
	until  time.Time // it has ended, and settles until then
}

// Look says how the mutating configuration in the cluster holds less than was
// shipped, and empty when people's approval may take effect: when it is in order
// now, and whatever came before has been voided. It costs one read while all is
// well. An error says that nobody knows; nothing may then be approved. Without a
// guard, and without such a configuration, all is well.
func (g *AdmissionGuard) Look(ctx context.Context) (string, error) {
	shipped := g.mutating()
	if shipped == nil {
		return "", nil
	}
	g.gap.mu.Lock()
	defer g.gap.mu.Unlock()
	if now := g.gap.describe(g.Clock.Now()); now != "" {
		return now, nil // the guard itself finds the end, once for all
	}
	found, err := g.advance(ctx, shipped)
	return strings.Join(found.weak, "; "), err
}

// mutating is the configuration whose gaps void verdicts; nil when there is none.
func (g *AdmissionGuard) mutating() *unstructured.Unstructured {
	if g == nil {
		return nil
	}
	for _, shipped := range g.Shipped {
		if shipped.GetKind() == "MutatingWebhookConfiguration" {
			return shipped
		}
	}
	return nil
}

// watch is advance for whoever does not hold the lock.
func (g *AdmissionGuard) watch(ctx context.Context, shipped *unstructured.Unstructured) (finding, error) {
	g.gap.mu.Lock()
	defer g.gap.mu.Unlock()
	return g.advance(ctx, shipped)
}

// advance examines the mutating configuration and does what is to be done about
// a gap that has begun or ended. What settles is weak still. Where that fails,
// the gap stays open.
func (g *AdmissionGuard) advance(ctx context.Context, shipped *unstructured.Unstructured) (finding, error) {
	found, live, err := g.examine(ctx, shipped)
	if err != nil {
		return found, err
	}
	if len(found.weak) > 0 {
		g.gap.why = strings.Join(found.weak, "; ")
		return found, nil
	}
	if !g.gap.loaded {
		if err := g.Memory.Load(ctx); err != nil {
			return found, fmt.Errorf("read what was known about %s: %w", shipped.GetName(), err)
		}
		g.gap.loaded = true
	}
	seen, now := g.Memory.Seen(), markOf(live)
	if g.gap.why == "" && !unbroken(seen, now) {
		g.gap.why = fmt.Sprintf("it was changed back and forth, or deleted and created again, unseen (%s then, %s now)", seen, now)
	}
	switch {
	case seen == now:
		g.gap.why = "" // nobody could read it for a while, and nobody has changed it
	case g.gap.why != "":
		err = g.end(ctx, now)
	default:
		err = g.Memory.Remember(ctx, now)
	}
	if err != nil {
		return found, fmt.Errorf("keep what is known about %s: %w", shipped.GetName(), err)
	}
	if still := g.gap.describe(g.Clock.Now()); still != "" {
		found.weak = append(found.weak, still)
	}
	return found, nil
}

// end ends a gap: what was given before is void from now on, whoever restarts.
func (g *AdmissionGuard) end(ctx context.Context, mark string) error {
	until := g.Clock.Now().Add(cmp.Or(g.Settle, Settle)).UTC().Truncate(time.Microsecond)
	if err := g.Memory.Void(ctx, until, mark); err != nil {
		return err
	}
	log.FromContext(ctx).Info("Verdicts sealed while admission was not enforced, or before, are void", "before", until, "gap", g.gap.why)
	g.gap.why, g.gap.until = "", until
	select {
	case g.voided <- struct{}{}:
	default: // who waits has not taken the last one yet
	}
	return nil
}

// describe says in which way the gap is open or settles; empty: there is none.
func (g *gap) describe(now time.Time) string {
	switch {
	case g.why != "":
		return g.why
	case now.Before(g.until):
		return "it was not enforced for a while, and no verdict counts that was given before " + g.until.Format(time.RFC3339) + ", when this ends by itself"
	default:
		return ""
	}
}

// markOf tells states of an object's spec apart: its uid, and how often it has
// changed.
func markOf(live *unstructured.Unstructured) string {
	return fmt.Sprintf("%s/%d", live.GetUID(), live.GetGeneration())
}

// unbroken says whether one state came right after the other, so that there was
// none between them: one write, such as of a new caBundle, is no gap when what it
// made of a configuration in order is in order. What nobody has seen before has
// no gap, either.
func unbroken(before, now string) bool {
	if before == "" || before == now {
		return true
	}
	object, count, _ := strings.Cut(before, "/")
	next, countNow, _ := strings.Cut(now, "/")
	n, err := strconv.ParseInt(count, 10, 64)
	return err == nil && object == next && countNow == strconv.FormatInt(n+1, 10)
}

// forgetful is the memory of a guard that was given none.
type forgetful struct{ seen string }

func (f *forgetful) Load(context.Context) error { return nil }

func (f *forgetful) Seen() string { return f.seen }

func (f *forgetful) Remember(_ context.Context, seen string) error {
	f.seen = seen
	return nil
}

func (f *forgetful) Void(_ context.Context, _ time.Time, seen string) error {
	f.seen = seen
	return nil
}
