// SPDX-License-Identifier: Apache-2.0

package clienttest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// watcher is a watch that is open. All of it is guarded by the server's lock.
type watcher struct {
	namespace, agent string // agent empty: all
	queue            []change
	over             bool          // it was ended
	gone             bool          // because the place to go on from is
	news             chan struct{} // holds one
}

func (w *watcher) tell(happened change) {
	if happened.action.Namespace != w.namespace || w.agent != "" && string(happened.action.Spec.AgentRef.Name) != w.agent {
		return
	}
	w.queue = append(w.queue, happened)
	w.wake()
}

func (w *watcher) end(gone bool) {
	w.over, w.gone = true, gone
	w.wake()
}

func (w *watcher) wake() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// list answers a list, or a watch.
func (s *Server) list(w http.ResponseWriter, r *http.Request, _ user) {
	query := r.URL.Query()
	agent := ""
	if selector := query.Get("fieldSelector"); selector != "" {
		name, found := strings.CutPrefix(selector, "spec.agentRef.name=")
		if !found {
			refuse(w, apierrors.NewBadRequest("clienttest knows the field selector spec.agentRef.name alone"))
			return
		}
		agent = name
	}
	if query.Get("watch") == "true" {
		s.watch(w, r, agent)
		return
	}
	all := &v1alpha1.AgentActionList{TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "AgentActionList"}}
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		limit = 0
	}
	s.mu.Lock()
	all.ResourceVersion = strconv.FormatInt(s.version, 10)
	for key, action := range s.actions {
		if key.Namespace != r.PathValue("namespace") || agent != "" && string(action.Spec.AgentRef.Name) != agent {
			continue
		}
		if limit > 0 && len(all.Items) == limit {
			all.Continue = "more"
			break
		}
		all.Items = append(all.Items, *shown(action))
	}
	s.mu.Unlock()
	answer(w, http.StatusOK, all)
}

func (s *Server) watch(w http.ResponseWriter, r *http.Request, agent string) {
	from, err := strconv.ParseInt(r.URL.Query().Get("resourceVersion"), 10, 64)
	if err != nil {
		refuse(w, apierrors.NewBadRequest("clienttest watches from a resourceVersion"))
		return
	}
	one := &watcher{namespace: r.PathValue("namespace"), agent: agent, news: make(chan struct{}, 1)}
	s.mu.Lock()
	if from < s.compacted {
		s.mu.Unlock()
		refuse(w, apierrors.NewResourceExpired("too old resource version"))
		return
	}
	for _, happened := range s.history {
		if happened.version > from {
			one.tell(happened)
		}
	}
	s.watches[one] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watches, one)
	}()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	s.stream(w, r, one)
}

// stream writes what happens until the watch is ended.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, one *watcher) {
	out, encoder := http.NewResponseController(w), json.NewEncoder(w)
	for {
		s.mu.Lock()
		queue, over, gone := one.queue, one.over, one.gone
		one.queue = nil
		s.mu.Unlock()
		for _, happened := range queue {
			if encoder.Encode(event(happened.kind, shown(happened.action))) != nil {
				return
			}
		}
		if gone {
			status := apierrors.NewResourceExpired("too old resource version").Status()
			status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
			_ = encoder.Encode(event(watch.Error, status)) // whoever went away needs no answer
		}
		if out.Flush() != nil || over {
			return
		}
		select {
		case <-one.news:
		case <-r.Context().Done():
			return
		}
	}
}

func event(kind watch.EventType, object any) any {
	return map[string]any{"type": kind, "object": object}
}
