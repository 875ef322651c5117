// SPDX-License-Identifier: Apache-2.0

package faultproxy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// wireRule is a Rule as JSON.
type wireRule struct {
	Method      string            `json:"method"`
	Verb        string            `json:"verb"`
	Resource    string            `json:"resource"`
	Subresource string            `json:"subresource"`
	Namespace   string            `json:"namespace"`
	Name        string            `json:"name"`
	Path        string            `json:"path"`
	N           int               `json:"n"`
	From        int               `json:"from"`
	Fault       Kind              `json:"fault"`
	Delay       string            `json:"delay"`
	DelayAnswer string            `json:"delayAnswer"`
	Skew        string            `json:"skew"`
	After       int               `json:"after"`
	Code        int               `json:"code"`
	Body        string            `json:"body"`
	Header      map[string]string `json:"header"`
	Connection  bool              `json:"connection"`
}

func (w wireRule) rule() (Rule, error) {
	rule := Rule{
		Method: w.Method, Verb: w.Verb, Resource: w.Resource, Subresource: w.Subresource,
		Namespace: w.Namespace, Name: w.Name, Path: w.Path, N: w.N, From: w.From,
		Fault: Fault{Kind: w.Fault, After: w.After, Code: w.Code, Body: w.Body, Header: w.Header, Connection: w.Connection},
	}
	for _, field := range []struct {
		name, text string
		into       *time.Duration
	}{{"delay", w.Delay, &rule.Fault.Delay}, {"delayAnswer", w.DelayAnswer, &rule.Fault.DelayAnswer}, {"skew", w.Skew, &rule.Fault.Skew}} {
		if field.text == "" {
			continue
		}
		value, err := time.ParseDuration(field.text)
		if err != nil {
			return Rule{}, fmt.Errorf("%s: %w; write 1.5s, 300ms, -10m", field.name, err)
		}
		*field.into = value
	}
	return rule, rule.check()
}

// controls is what Control serves.
func (p *Proxy) controls() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /plan", func(w http.ResponseWriter, r *http.Request) {
		rules, err := readRules(w, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		p.Rules(rules...)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /log", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, p.Log()) })
	mux.HandleFunc("GET /connections", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, p.Connections()) })
	mux.HandleFunc("POST /reset", func(w http.ResponseWriter, _ *http.Request) {
		p.Reset()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /disconnect", func(w http.ResponseWriter, _ *http.Request) {
		p.Disconnect()
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func readRules(w http.ResponseWriter, r *http.Request) ([]Rule, error) {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit))
	decoder.DisallowUnknownFields()
	var wire []wireRule
	if err := decoder.Decode(&wire); err != nil {
		return nil, fmt.Errorf("the plan is no list of rules: %w", err)
	}
	rules := make([]Rule, len(wire))
	for i, one := range wire {
		rule, err := one.rule()
		if err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
		rules[i] = rule
	}
	return rules, nil
}

func writeJSON(w http.ResponseWriter, what any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(what) // a client that is gone needs no answer
}
