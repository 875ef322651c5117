// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func TestReadersAndWritersAtOnce(t *testing.T) {
	t.Parallel()
	store, _ := counting(t)
	const writers, edits = 4, 50
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for w := range writers {
		writing.Go(func() {
			for g := range int64(edits) {
				name := fmt.Sprint("r", w)
				store.SetRule(rule("default", name, types.UID(name), g+1, strconv.FormatInt(g+1, 10)))
				store.SetWorkflow(workflow(v1alpha1.GlobalNamespace, name, types.UID(name), g+1))
				store.SetAgent(agent("default", name, types.UID(name), g+1, v1alpha1.AgentActive))
				store.SetNamespace(namespace("default", map[string]string{"edit": strconv.FormatInt(g, 10)}))
			}
		})
	}
	for range 2 {
		reading.Go(func() {
			latest := map[string]string{}
			for {
				snapshot := store.Snapshot()
				for r := range snapshot.Namespace("default").Rules.Rules() {
					name, reason := r.Key().Name, r.Spec().Reason
					if before := latest[name]; len(before) > len(reason) || (len(before) == len(reason) && before > reason) {
						t.Errorf("rule %s went back from %s to %s", name, before, reason)
					}
					latest[name] = reason
				}
				store.Changes().Take()
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	for w := range writers {
		if got := reasonOf(store.Snapshot(), "default", fmt.Sprint("r", w)); got != strconv.Itoa(edits) {
			t.Errorf("rule r%d ends at %q", w, got)
		}
	}
}
