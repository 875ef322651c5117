// SPDX-License-Identifier: Apache-2.0

// Package clienttest has a server for tests of what is built on package client.
// It speaks the part of the Kubernetes API that a client uses, and decides as
// the operator does: by the same code, over the policy that it is given. What
// the operator refuses, it refuses: a change of what was asked, a second
// outcome, an approval by one's own, a requester who is no subject of the agent.
//
//	server := clienttest.New(t)
//	c := server.Client(t)
//	go agent.Run(ctx, c)
//	id := server.AwaitPending(t)
//	server.Approve(id, "alice", "ascend-approvers")
//
// What is left out is set, and what is invalid refused, as by the CRDs. One thing
// of a real cluster it does not have: RBAC, so that everybody holds every verb.
package clienttest

import (
	"encoding/pem"
	"io"
	"log"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/client"
)

// The agent that there is where New is given none.
const (
	DefaultAgent     = "test-agent"
	DefaultNamespace = "default"
)

// Server is an API server with an operator. All methods may be called at once
// from many goroutines.
type Server struct {
	http  *httptest.Server
	rules *rules

	mu        sync.Mutex
	users     map[string]user // by token
	actions   map[types.NamespacedName]*v1alpha1.AgentAction
	applied   map[string][]byte // what was applied, by path
	watches   map[*watcher]bool
	history   []change
	version   int64         // resourceVersion of the last write
	compacted int64         // before this one, watches are too old
	ahead     time.Duration // of the cluster's clock
	stopped   bool          // the operator is
	requests  int
	changed   chan struct{} // closed by the next write
}

// New starts a server, which ends with the test. Objects are Agents, SmartRules,
// ApprovalWorkflows, a RiskModel, and Namespaces by their labels: those that it
// decides by. Without any policy among them it is the starter policy of the
// operator; without an Agent, there is DefaultAgent in DefaultNamespace, in the
// environment sandbox. An Agent without subjects gets the ServiceAccount of its
// name. What names no namespace is in DefaultNamespace.
func New(tb testing.TB, objects ...any) *Server {
	tb.Helper()
	s := &Server{
		users:   map[string]user{},
		actions: map[types.NamespacedName]*v1alpha1.AgentAction{},
		applied: map[string][]byte{},
		watches: map[*watcher]bool{},
		changed: make(chan struct{}),
		version: 1000,
	}
	var err error
	if s.rules, err = newRules(s, objects); err != nil {
		tb.Fatalf("clienttest: %v", err)
	}
	s.http = httptest.NewUnstartedServer(s.handler())
	s.http.EnableHTTP2 = true
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that go away are no news
	s.http.StartTLS()
	tb.Cleanup(func() {
		s.http.CloseClientConnections()
		s.http.Close()
	})
	return s
}

// Options are those of a client of DefaultAgent.
func (s *Server) Options() client.Options { return s.OptionsFor(DefaultNamespace, DefaultAgent) }

// OptionsFor are those of a client of an agent, which comes as the ServiceAccount
// of the agent's name.
func (s *Server) OptionsFor(namespace, agent string) client.Options {
	return client.Options{
		Config:    s.Config("system:serviceaccount:"+namespace+":"+agent, "system:serviceaccounts", "system:serviceaccounts:"+namespace),
		Namespace: namespace, Agent: agent,
	}
}

// Client returns a client of DefaultAgent, which is closed with the test.
func (s *Server) Client(tb testing.TB) *client.Client {
	tb.Helper()
	c, err := client.New(s.Options())
	if err != nil {
		tb.Fatalf("clienttest: %v", err)
	}
	tb.Cleanup(c.Close)
	return c
}

// Config is a connection as that user.
func (s *Server) Config(username string, groups ...string) *rest.Config {
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw})
	return &rest.Config{Host: s.http.URL, BearerToken: s.token(username, groups), TLSClientConfig: rest.TLSClientConfig{CAData: authority}}
}

// Revoke makes the tokens of a user worthless.
func (s *Server) Revoke(username string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token, who := range s.users {
		if who.name == username {
			delete(s.users, token)
		}
	}
}

// Now is the time of the cluster.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// now is Now. The lock must be held.
func (s *Server) now() time.Time { return time.Now().Add(s.ahead) }

// Advance sets the cluster's clock forward; what was waiting for that happens
// before it returns.
func (s *Server) Advance(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += by
	s.decideAll()
}

// StopOperator lets actions go undecided, until StartOperator.
func (s *Server) StopOperator() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
}

// StartOperator has everything decided that went undecided, and goes on.
func (s *Server) StartOperator() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = false
	s.decideAll()
}

// Requests is how many requests there have been.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Compact forgets all changes so far: watches are cut, and can go on from none
// of the versions that there were.
func (s *Server) Compact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.compacted, s.history = s.version, nil
	for w := range s.watches {
		w.end(true)
	}
}

// DropWatches cuts all watches.
func (s *Server) DropWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watches {
		w.end(false)
	}
}
