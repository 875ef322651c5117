// SPDX-License-Identifier: Apache-2.0

package clienttest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

const (
	groupPath = "/apis/governance.ascendowkai.com/v1alpha1/namespaces/{namespace}/"
	// maxBody is what the API server takes.
	maxBody = 3 << 20
)

// handler is the API.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+groupPath+"agentactions", s.as(s.create))
	mux.HandleFunc("GET "+groupPath+"agentactions", s.as(s.list))
	mux.HandleFunc("GET "+groupPath+"agentactions/{name}", s.as(s.get))
	mux.HandleFunc("PATCH "+groupPath+"agentactions/{name}", s.as(s.patch))
	mux.HandleFunc("PATCH "+groupPath+"webhooksubscriptions/{name}", s.as(s.apply("webhooksubscriptions")))
	mux.HandleFunc("PATCH /api/v1/namespaces/{namespace}/secrets/{name}", s.as(s.apply("secrets")))
	return mux
}

// as finds out who asks.
func (s *Server) as(handle func(http.ResponseWriter, *http.Request, user)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		s.mu.Lock()
		s.requests++
		who, known := s.users[token]
		now := s.now()
		s.mu.Unlock()
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		if !known {
			refuse(w, apierrors.NewUnauthorized("Unauthorized"))
			return
		}
		handle(w, r, who)
	}
}

func answer(w http.ResponseWriter, code int, object any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(object) // whoever went away needs no answer
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, err error) {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) {
		status = apierrors.NewInternalError(err)
	}
	said := status.Status()
	said.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	answer(w, int(said.Code), said)
}

// shown is an action as it is answered with.
func shown(action *v1alpha1.AgentAction) *v1alpha1.AgentAction {
	copied := *action
	copied.TypeMeta = metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "AgentAction"}
	return &copied
}

func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return data, nil
}

func (s *Server) create(w http.ResponseWriter, r *http.Request, by user) {
	made, err := s.created(w, r, by)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusCreated, shown(made))
}

func (s *Server) created(w http.ResponseWriter, r *http.Request, by user) (*v1alpha1.AgentAction, error) {
	data, err := body(w, r)
	if err != nil {
		return nil, err
	}
	action := &v1alpha1.AgentAction{}
	if err := json.Unmarshal(data, action); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	namespace := r.PathValue("namespace")
	if !s.rules.known[namespace] {
		return nil, apierrors.NewNotFound(v1alpha1.GroupVersion.WithResource("namespaces").GroupResource(), namespace)
	}
	action.Namespace, action.Status = namespace, v1alpha1.AgentActionStatus{}
	if err := complete(action); err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	if action, err = s.admit(admissionv1.Create, nil, action, by); err != nil {
		return nil, err
	}
	if err := valid(action, nil); err != nil {
		return nil, err
	}
	key := types.NamespacedName{Namespace: namespace, Name: action.Name}
	if s.actions[key] != nil {
		return nil, apierrors.NewAlreadyExists(actionResource, action.Name)
	}
	action.UID, action.Generation = newUID(), 1
	action.CreationTimestamp = metav1.NewTime(s.now().UTC().Truncate(time.Second))
	s.store(watch.Added, action)
	s.decide(key)
	return action, nil
}

// admit asks the operator's webhook, and returns the object as it left it.
func (s *Server) admit(operation admissionv1.Operation, old, action *v1alpha1.AgentAction, by user) (*v1alpha1.AgentAction, error) {
	raw, err := json.Marshal(shown(action))
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	asked := admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
		UID: newUID(), Operation: operation, Namespace: action.Namespace, Name: action.Name, UserInfo: by.info(),
		Object: runtime.RawExtension{Raw: raw},
	}}
	if old != nil {
		if asked.OldObject.Raw, err = json.Marshal(shown(old)); err != nil {
			return nil, apierrors.NewInternalError(err)
		}
	}
	said := s.rules.admission.Handle(context.Background(), asked)
	if !said.Allowed {
		status := *said.Result
		status.Message = `admission webhook "agentactions.governance.ascendowkai.com" denied the request: ` + status.Message
		return nil, &apierrors.StatusError{ErrStatus: status}
	}
	operations, err := json.Marshal(said.Patches)
	if err != nil || len(said.Patches) == 0 {
		return action, err
	}
	patch, err := jsonpatch.DecodePatch(operations)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	if raw, err = patch.Apply(raw); err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	stamped := &v1alpha1.AgentAction{}
	if err := json.Unmarshal(raw, stamped); err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	return stamped, nil
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, _ user) {
	s.mu.Lock()
	action := s.actions[types.NamespacedName{Namespace: r.PathValue("namespace"), Name: r.PathValue("name")}]
	s.mu.Unlock()
	if action == nil {
		refuse(w, apierrors.NewNotFound(actionResource, r.PathValue("name")))
		return
	}
	answer(w, http.StatusOK, shown(action))
}

func (s *Server) patch(w http.ResponseWriter, r *http.Request, by user) {
	data, err := body(w, r)
	if err == nil && r.Header.Get("Content-Type") != "application/merge-patch+json" {
		err = apierrors.NewBadRequest("clienttest knows JSON merge patches alone")
	}
	if err != nil {
		refuse(w, err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.actions[types.NamespacedName{Namespace: r.PathValue("namespace"), Name: r.PathValue("name")}]
	if old == nil {
		refuse(w, apierrors.NewNotFound(actionResource, r.PathValue("name")))
		return
	}
	next, err := patched(old, data)
	if err == nil {
		next, err = s.update(old, next, by)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, shown(next))
}

// patched is an action with a JSON merge patch on it. Status is no part of it.
func patched(old *v1alpha1.AgentAction, patch []byte) (*v1alpha1.AgentAction, error) {
	before, err := json.Marshal(shown(old))
	if err != nil {
		return nil, err
	}
	after, err := jsonpatch.MergePatch(before, patch)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	next := &v1alpha1.AgentAction{}
	if err := json.Unmarshal(after, next); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if next.UID != old.UID || next.ResourceVersion != old.ResourceVersion {
		return nil, apierrors.NewConflict(actionResource, old.Name, errors.New("the object has been modified; please apply your changes to the latest version and try again"))
	}
	next.Status = old.Status
	return next, nil
}

// update stores a change that admission lets through. The lock must be held.
func (s *Server) update(old, next *v1alpha1.AgentAction, by user) (*v1alpha1.AgentAction, error) {
	next, err := s.admit(admissionv1.Update, old, next, by)
	if err != nil {
		return nil, err
	}
	next.Status, next.TypeMeta = old.Status, old.TypeMeta
	if err := valid(next, old); err != nil {
		return nil, err
	}
	if equality.Semantic.DeepEqual(old, next) {
		return old, nil
	}
	if !equality.Semantic.DeepEqual(old.Spec, next.Spec) {
		next.Generation++
	}
	s.store(watch.Modified, next)
	s.decide(types.NamespacedName{Namespace: next.Namespace, Name: next.Name})
	return next, nil
}

// apply keeps what is applied and not only tried, as it is.
func (s *Server) apply(resource string) func(http.ResponseWriter, *http.Request, user) {
	return func(w http.ResponseWriter, r *http.Request, _ user) {
		data, err := body(w, r)
		switch {
		case err != nil:
		case r.Header.Get("Content-Type") != "application/apply-patch+yaml":
			err = apierrors.NewBadRequest("clienttest knows server-side apply alone")
		case r.URL.Query().Get("fieldManager") == "":
			err = apierrors.NewBadRequest("fieldManager: Required value: is required for apply patch")
		case !json.Valid(data):
			err = apierrors.NewBadRequest("the object is no JSON")
		}
		if err != nil {
			refuse(w, err)
			return
		}
		if !r.URL.Query().Has("dryRun") {
			s.mu.Lock()
			s.applied[r.PathValue("namespace")+"/"+resource+"/"+r.PathValue("name")] = data
			s.mu.Unlock()
		}
		answer(w, http.StatusOK, json.RawMessage(data))
	}
}
