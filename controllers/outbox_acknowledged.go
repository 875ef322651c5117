// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// acknowledgement says that a subscription needs not hear of an event any more.
type acknowledgement struct {
	id string
	by v1alpha1.ObjectName
}

// acknowledged remembers what has to be taken out of actions' status, until that
// is written. It is lost with the process, and then what was delivered is
// delivered again, under the same id.
type acknowledged struct {
	mu sync.Mutex
	of map[types.NamespacedName]*ofAction
}

// ofAction is what is to be written about one action.
type ofAction struct {
	uid types.UID
	// done says of each whether it was given up.
	done map[acknowledgement]bool
	// unsure says that nobody knows which entries the API server has, for the
	// answer to a write has not arrived.
	unsure bool
}

func newAcknowledged() *acknowledged {
	return &acknowledged{of: map[types.NamespacedName]*ofAction{}}
}

// entry is that of an action; what there was of another one of its name is gone.
func (a *acknowledged) entry(key types.NamespacedName, uid types.UID) *ofAction {
	if e := a.of[key]; e != nil && e.uid == uid {
		return e
	}
	e := &ofAction{uid: uid, done: map[acknowledgement]bool{}}
	a.of[key] = e
	return e
}

func (a *acknowledged) add(key types.NamespacedName, uid types.UID, what acknowledgement, givenUp bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.entry(key, uid).done[what] = givenUp
}

func (a *acknowledged) doubt(key types.NamespacedName, uid types.UID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.entry(key, uid).unsure = true
}

// takeDoubt says whether there was doubt, and ends it.
func (a *acknowledged) takeDoubt(key types.NamespacedName, uid types.UID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.of[key]
	if e == nil || e.uid != uid || !e.unsure {
		return false
	}
	e.unsure = false
	return true
}

// look returns what is to be taken out of an action, and of each whether it was
// given up.
func (a *acknowledged) look(key types.NamespacedName, uid types.UID) map[acknowledgement]bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.of[key]
	if e == nil || e.uid != uid {
		return nil
	}
	return maps.Clone(e.done)
}

// waits says whether anything is to be done about an action of that name.
func (a *acknowledged) waits(key types.NamespacedName) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.of[key]
	return e != nil && (len(e.done) > 0 || e.unsure)
}

// written drops what the API server does not have any more: left are the entries
// that it has.
func (a *acknowledged) written(key types.NamespacedName, uid types.UID, left []v1alpha1.PendingNotification) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.of[key]
	if e == nil || e.uid != uid {
		return
	}
	still := map[acknowledgement]bool{}
	for _, entry := range left {
		for _, name := range entry.To {
			what := acknowledgement{entry.ID, name}
			if givenUp, has := e.done[what]; has {
				still[what] = givenUp
			}
		}
	}
	e.done = still
	if !e.unsure && len(still) == 0 {
		delete(a.of, key)
	}
}

// forget drops what is known of an action that is gone.
func (a *acknowledged) forget(key types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.of, key)
}
