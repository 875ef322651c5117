// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// mapped are the fields of a record that have a place in the schema with nothing
// lost; all others are in Event.Unmapped.
var mapped = []string{
	"schemaVersion", "chain", "sequence", "time", "event", "actor", "kind", "namespace", "name", "uid", "resourceVersion",
	"reason", "message", "riskLevel", "controls", "decidingRule",
}

// FromRecord tells a record as an event. It fails where the record cannot be
// written as JSON, which no record that was read can.
func FromRecord(r *audit.Record) (*Event, error) {
	unmapped, err := unmappedOf(r)
	if err != nil {
		return nil, fmt.Errorf("tell record %d of chain %s as OCSF: %w", r.Sequence, r.Chain, err)
	}
	m := meaningOf(r)
	typeUID := ClassUID*100 + m.activity.id
	event := &Event{
		ActivityID: m.activity.id, ActivityName: m.activity.name,
		CategoryUID: CategoryUID, CategoryName: categoryName,
		ClassUID: ClassUID, ClassName: className,
		TypeUID: int64(typeUID), TypeName: typeName(m.activity),
		Time:       r.Time.UnixMilli(),
		SeverityID: m.severity.id, Severity: m.severity.name,
		StatusID: m.status.id, Status: m.status.name, StatusCode: r.Reason, StatusDetail: r.Message,
		ActionID: m.effect.action.id, Action: m.effect.action.name,
		DispositionID: m.effect.disposition.id, Disposition: m.effect.disposition.name,
		Message: sentence(r), Metadata: metadataOf(r), Actor: actorOf(r),
		API:         API{Operation: string(r.Event), Version: v1alpha1.GroupVersion.String(), Service: Service{Name: operator}},
		SrcEndpoint: endpointOf(r), Resources: resourcesOf(r),
		Policy: policyOf(r), Authorizations: authorizationsOf(r),
		Unmapped: unmapped,
	}
	event.setRisk(r)
	return event, nil
}

// typeName is the caption of type_uid. Of what the schema leaves to the source,
// it is that of 99.
func typeName(activity term) string {
	if activity.id == 99 {
		return className + ": Other"
	}
	return className + ": " + activity.name
}

func sentence(r *audit.Record) string {
	text := string(r.Event)
	if about := about(r); about != "" {
		text += " " + about
	}
	if r.Message != "" {
		text += ": " + r.Message
	}
	return text
}

func about(r *audit.Record) string {
	return strings.Trim(r.Namespace+"/"+r.Name, "/")
}

func metadataOf(r *audit.Record) Metadata {
	m := Metadata{
		Version: Version, Product: Product{Name: product, VendorName: vendor}, Profiles: []string{profile},
		UID: r.Chain + ":" + strconv.FormatUint(r.Sequence, 10), Sequence: r.Sequence,
		EventCode: string(r.Event), CorrelationUID: r.UID,
		LogName: r.Chain, LogProvider: operator, LogVersion: r.SchemaVersion,
		OriginalTime: r.Time.UTC().Format(time.RFC3339Nano), Labels: r.Controls,
	}
	if r.Journal != nil {
		m.Product.Version = r.Journal.Version
	}
	return m
}

// actorOf is who did it; the operator itself where the record names nobody.
func actorOf(r *audit.Record) Actor {
	if r.Actor == "" {
		return Actor{User: User{Name: operator, TypeID: 3, Type: "System"}, AppName: operator}
	}
	user := userNamed(r.Actor)
	if r.Request != nil && r.Request.Requester.Username == r.Actor {
		user.UID = r.Request.Requester.UID
		for _, group := range r.Request.Requester.Groups {
			user.Groups = append(user.Groups, Group{Name: string(group)})
		}
	}
	return Actor{User: user}
}

func userNamed(name string) User {
	if strings.HasPrefix(name, "system:serviceaccount:") {
		return User{Name: name, TypeID: 99, Type: "Service Account"}
	}
	return User{Name: name, TypeID: 1, Type: "User"}
}

func endpointOf(r *audit.Record) Endpoint {
	if r.Actor == "" {
		return Endpoint{Name: operator, SvcName: operator}
	}
	return Endpoint{Name: "kube-apiserver", SvcName: "kubernetes"}
}

// resourcesOf are the object that the record is about, its agent, and what the
// action is to be done to.
func resourcesOf(r *audit.Record) []Resource {
	var resources []Resource
	if r.Name != "" || r.UID != "" {
		object := Resource{Type: r.Kind, Name: r.Name, UID: r.UID, Namespace: r.Namespace, Version: r.ResourceVersion}
		if object.Type == "" {
			object.Type = "AgentAction"
		}
		if r.Requester != "" {
			owner := userNamed(r.Requester)
			object.Owner = &owner
		}
		resources = append(resources, object)
	}
	if r.Agent != "" && r.Kind != "Agent" {
		resources = append(resources, Resource{Type: "Agent", Name: r.Agent, Namespace: r.Namespace})
	}
	if r.Resource != "" {
		resources = append(resources, Resource{Type: "Target of " + r.ActionType, Name: r.Resource})
	}
	return resources
}

// policyOf is the rule that decided, at the revision of policy.
func policyOf(r *audit.Record) *Policy {
	if r.DecidingRule == "" {
		return nil
	}
	applied := true
	return &Policy{Name: r.DecidingRule, Version: r.PolicyRevision, IsApplied: &applied}
}

// authorizationsOf are the decision, the rules that matched and the workflows
// that people have to pass.
func authorizationsOf(r *audit.Record) []Authorization {
	if r.Decision == "" {
		return nil
	}
	var list []Authorization
	for _, rule := range r.MatchedRules {
		name, effect, _ := strings.Cut(rule, " ")
		if effect == "" {
			effect = string(r.Decision)
		}
		if name != "" {
			list = append(list, Authorization{Decision: effect, Policy: &Policy{Name: name, Version: r.PolicyRevision}})
		}
	}
	for _, workflow := range r.Workflows {
		if workflow != "" {
			list = append(list, Authorization{Decision: string(r.Decision), Policy: &Policy{Name: workflow, Version: r.ApprovalRevision}})
		}
	}
	if len(list) == 0 {
		list = []Authorization{{Decision: string(r.Decision)}}
	}
	return list
}

// riskLevels are the identifiers of risk_level_id.
var riskLevels = map[v1alpha1.RiskLevel]term{
	v1alpha1.RiskLevelLow:      {1, "Low"},
	v1alpha1.RiskLevelMedium:   {2, "Medium"},
	v1alpha1.RiskLevelHigh:     {3, "High"},
	v1alpha1.RiskLevelCritical: {4, "Critical"},
}

func (e *Event) setRisk(r *audit.Record) {
	if r.RiskLevel != "" {
		level, known := riskLevels[r.RiskLevel]
		if !known {
			level = other(string(r.RiskLevel))
		}
		e.RiskLevelID, e.RiskLevel = &level.id, level.name
	}
	if score, err := strconv.ParseFloat(string(r.RiskScore), 64); err == nil && score >= 0 && score <= 10 {
		tenfold := int(math.Round(score * 10))
		e.RiskScore = &tenfold
	}
	e.RiskDetails = r.CVSSVector
}

// unmappedOf are the fields of a record without those that are mapped, and
// without those that are empty.
func unmappedOf(r *audit.Record) (map[string]json.RawMessage, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	for _, name := range mapped {
		delete(fields, name)
	}
	for name, value := range fields {
		if string(value) == `""` {
			delete(fields, name)
		}
	}
	return fields, nil
}
