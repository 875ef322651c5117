// SPDX-License-Identifier: Apache-2.0

// Package ocsf tells audit records in the words of the Open Cybersecurity Schema
// Framework: each record is one event of the class API Activity, 6003, with the
// profile Security Control. Source: https://schema.ocsf.io/1.5.0/classes/api_activity.
package ocsf

import "encoding/json"

// The constants of every event.
const (
	// Version of the schema that events say they follow. Test data has what that
	// version, and a newer one, require.
	Version = "1.5.0"
	// ClassUID is API Activity, in CategoryUID, Application Activity.
	ClassUID    = 6003
	CategoryUID = 6

	className    = "API Activity"
	categoryName = "Application Activity"
	profile      = "security_control"
	product      = "Ascend Operator"
	vendor       = "Ascend"
	operator     = "ascend-operator"
)

// Event is a record as an event of class 6003. Fields whose names end in ID have
// a sibling with the words for it.
type Event struct {
	ActivityID     int             `json:"activity_id"`
	ActivityName   string          `json:"activity_name"`
	CategoryUID    int             `json:"category_uid"`
	CategoryName   string          `json:"category_name"`
	ClassUID       int             `json:"class_uid"`
	ClassName      string          `json:"class_name"`
	TypeUID        int64           `json:"type_uid"`
	TypeName       string          `json:"type_name"`
	Time           int64           `json:"time"` // milliseconds since 1970, UTC
	SeverityID     int             `json:"severity_id"`
	Severity       string          `json:"severity"`
	StatusID       int             `json:"status_id"`
	Status         string          `json:"status"`
	StatusCode     string          `json:"status_code,omitempty"`
	StatusDetail   string          `json:"status_detail,omitempty"`
	ActionID       int             `json:"action_id"`
	Action         string          `json:"action"`
	DispositionID  int             `json:"disposition_id"`
	Disposition    string          `json:"disposition"`
	Message        string          `json:"message"`
	Metadata       Metadata        `json:"metadata"`
	Actor          Actor           `json:"actor"`
	API            API             `json:"api"`
	SrcEndpoint    Endpoint        `json:"src_endpoint"`
	Resources      []Resource      `json:"resources,omitempty"`
	Policy         *Policy         `json:"policy,omitempty"`
	Authorizations []Authorization `json:"authorizations,omitempty"`
	RiskLevelID    *int            `json:"risk_level_id,omitempty"`
	RiskLevel      string          `json:"risk_level,omitempty"`
	// RiskScore is ten times the score of the record: 0 to 100.
	RiskScore   *int   `json:"risk_score,omitempty"`
	RiskDetails string `json:"risk_details,omitempty"`
	// Unmapped has the fields of the record that the schema has no place for, by
	// the names and with the values that they have in the record.
	Unmapped map[string]json.RawMessage `json:"unmapped,omitempty"`
}

// Metadata is the object metadata.
type Metadata struct {
	Version        string   `json:"version"`
	Product        Product  `json:"product"`
	Profiles       []string `json:"profiles"`
	UID            string   `json:"uid"`
	Sequence       uint64   `json:"sequence"`
	EventCode      string   `json:"event_code"`
	CorrelationUID string   `json:"correlation_uid,omitempty"`
	LogName        string   `json:"log_name"`
	LogProvider    string   `json:"log_provider"`
	LogVersion     string   `json:"log_version,omitempty"`
	OriginalTime   string   `json:"original_time"`
	Labels         []string `json:"labels,omitempty"`
}

// Product is the object product.
type Product struct {
	Name       string `json:"name"`
	VendorName string `json:"vendor_name"`
	Version    string `json:"version,omitempty"`
}

// Actor is the object actor.
type Actor struct {
	User    User   `json:"user"`
	AppName string `json:"app_name,omitempty"`
}

// User is the object user.
type User struct {
	Name   string  `json:"name"`
	UID    string  `json:"uid,omitempty"`
	TypeID int     `json:"type_id"`
	Type   string  `json:"type"`
	Groups []Group `json:"groups,omitempty"`
}

// Group is the object group.
type Group struct {
	Name string `json:"name"`
}

// API is the object api.
type API struct {
	Operation string  `json:"operation"`
	Version   string  `json:"version,omitempty"`
	Service   Service `json:"service"`
}

// Service is the object service.
type Service struct {
	Name string `json:"name"`
}

// Endpoint is the object network_endpoint. The trail does not know from which
// address a request came: the audit log of the API server does.
type Endpoint struct {
	Name    string `json:"name"`
	SvcName string `json:"svc_name"`
}

// Resource is the object resource_details.
type Resource struct {
	Type      string `json:"type"`
	Name      string `json:"name,omitempty"`
	UID       string `json:"uid,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Version   string `json:"version,omitempty"`
	Owner     *User  `json:"owner,omitempty"`
}

// Policy is the object policy.
type Policy struct {
	Name      string `json:"name,omitempty"`
	UID       string `json:"uid,omitempty"`
	Version   string `json:"version,omitempty"`
	IsApplied *bool  `json:"is_applied,omitempty"`
}

// Authorization is the object authorization.
type Authorization struct {
	Decision string  `json:"decision,omitempty"`
	Policy   *Policy `json:"policy,omitempty"`
}
