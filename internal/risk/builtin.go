// SPDX-License-Identifier: Apache-2.0

package risk

import (
	"slices"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// The impacts that the built-in action types have: the last four metrics of
// their vectors. The first four are always AV:N/AC:L/PR:L/UI:N: an agent comes
// over the network with ordinary rights and nobody at its side. Source of the
// metrics and their weights: CVSS 3.1 specification, sections 2 and 7; the
// scores in the comments are what its formula gives, and a test pins them. The
// order is delete > write > read > describe, as users of ASCEND expect it.
const (
	network = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/"
	// hardToUse is for what is of use only along with something else.
	hardToUse = "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/"

	describe  = hardToUse + "S:U/C:L/I:N/A:N" // 3.1: names and shapes, no content
	read      = network + "S:U/C:L/I:N/A:N"   // 4.3: seed, step 3
	readMuch  = network + "S:U/C:H/I:N/A:N"   // 6.5: content as a whole
	fetch     = network + "S:C/C:L/I:N/A:N"   // 5.0: a request that leaves the house, and what it carries
	disclose  = network + "S:C/C:H/I:N/A:N"   // 7.7: content leaves the house as a whole
	write     = network + "S:U/C:L/I:L/A:N"   // 5.4: design, section 4
	send      = network + "S:C/C:L/I:L/A:N"   // 6.4: leaves the house and acts there; cannot be recalled
	statement = network + "S:U/C:L/I:L/A:L"   // 6.3: any statement, mostly harmless
	tune      = network + "S:U/C:N/I:L/A:L"   // 5.4: more or less of what runs
	steer     = network + "S:U/C:L/I:H/A:N"   // 7.1: changes how something behaves or who somebody is
	interrupt = network + "S:U/C:N/I:L/A:H"   // 7.1: what runs stops for a while
	configure = network + "S:U/C:L/I:H/A:L"   // 7.6: changes how a service behaves
	destroy   = network + "S:U/C:N/I:H/A:H"   // 8.1: design, section 4
	rebuild   = network + "S:U/C:L/I:H/A:H"   // 8.3: changes what runs, or the shape of data
	money     = network + "S:C/C:L/I:H/A:N"   // 8.5: changes accounts at a bank, for good
	unlock    = network + "S:C/C:H/I:L/A:N"   // 8.5: opens other systems
	takeOver  = network + "S:C/C:H/I:H/A:N"   // 9.6: rights over other systems
	raze      = network + "S:C/C:N/I:H/A:H"   // 9.6: destroys what others stand on
	anything  = network + "S:U/C:H/I:H/A:H"   // 8.8: nobody knows what it does
	runCode   = network + "S:C/C:H/I:H/A:H"   // 9.9: does whatever the code says
)

// builtInActionTypes has one name for a thing: a synonym would be a way around
// a rule that names the other. What is not here is an unknown type and scores
// as anything.
var builtInActionTypes = []struct{ vector, names string }{
	{describe, "database_describe database_list file_list user_list secret_list email_list document_list repository_list kubernetes_list infrastructure_list"},
	{read, "database_read database_search file_read email_read message_read document_read ticket_read record_read calendar_read user_read repository_read config_read log_read metrics_read kubernetes_read infrastructure_read model_inference knowledge_search"},
	{readMuch, "database_backup financial.read health_record_read"},
	{fetch, "http_get api_read web_search web_browse"},
	{disclose, "data_export database_export file_share document_share file_upload"},
	{write, "database_write database_insert database_update database_upsert file_write document_write ticket_create ticket_update record_create record_update calendar_write user_update notification_send repository_push pull_request_create"},
	{send, "email_send message_send sms_send http_post http_put http_patch api_call api_write webhook_call social_media_post"},
	{statement, "database_query"},
	{tune, "deployment_scale"},
	{steer, "financial.refund user_create model_update prompt_update training_data_update pull_request_merge invoice_create"},
	{interrupt, "service_restart access_revoke user_disable"},
	{configure, "config_update feature_flag_update dns_update kubernetes_apply"},
	{destroy, "database_delete database_truncate database_drop file_delete document_delete record_delete email_delete user_delete http_delete api_delete log_delete model_delete kubernetes_delete repository_delete monitoring_disable"},
	{rebuild, "database_alter database_migrate database_restore deployment_create deployment_update deployment_rollback model_deploy infrastructure_create infrastructure_update"},
	{money, "financial.transfer financial.payment financial.withdrawal financial.trade payment_create payment_send"},
	{unlock, "secret_read credential_read key_read password_reset"},
	{takeOver, "secret_write secret_rotate credential_create role_assign permission_grant privilege_escalation user_impersonate firewall_update network_update"},
	{raze, "secret_delete backup_delete infrastructure_delete encryption_disable"},
	{runCode, "code_execution command_execution script_execution container_exec kubernetes_exec database_execute"},
	{anything, "*"},
}

// What data, environment and volume add. The orders of size are those of the
// scoring modifiers that ASCEND publishes (internal +5, confidential +10, PII
// +15, PHI and PCI +20, production +10, on a scale of 100), brought to the
// fixed points of docs/scoring.md.
var (
	builtInClassifications = []v1alpha1.DataClassificationRisk{
		{Name: v1alpha1.DataPublic, Delta: "-2.2"}, // 4.3 - 2.2 = 2.1: seed, step 2
		{Name: v1alpha1.DataInternal, Delta: "+0.5"},
		{Name: v1alpha1.DataConfidential, Delta: "+0.8"},
		{Name: v1alpha1.DataPII, Delta: "+1.0"}, // 4.3 + 1.0 = 5.3: seed, step 3
		{Name: v1alpha1.DataPHI, Delta: "+1.5"},
		{Name: v1alpha1.DataPCI, Delta: "+1.5"},
	}
	builtInEnvironments = []v1alpha1.EnvironmentRisk{
		{Name: v1alpha1.EnvironmentSandbox, Delta: "+0.0"}, // the seed's agent
		{Name: v1alpha1.EnvironmentTest, Delta: "+0.0"},
		{Name: v1alpha1.EnvironmentDevelopment, Delta: "+0.2"},
		{Name: v1alpha1.EnvironmentStaging, Delta: "+0.5"},
		{Name: v1alpha1.EnvironmentProduction, Delta: "+1.0"}, // 4.3 + 1.5 + 1.0 = 6.8, Medium: seed, step 7
	}

	// Only types that have rows: asking for the rows of a file would score
	// every file as a bulk change.
	typesWithRows = []v1alpha1.Glob{
		"database*write", "database*update", "database*insert", "database*upsert", "database*delete", "database*truncate", "database*drop",
		"data_write", "data_update", "data_delete", "sql*write", "sql*update", "sql*delete",
		"table*write", "table*update", "table*delete", "record*write", "record*update", "record*delete",
		"customer*write", "customer*update", "customer*delete", "user*delete", "bulk*write", "bulk*update", "bulk*delete",
	}
	typesWithAmount = []v1alpha1.Glob{
		"financial*transfer*", "financial*pay*", "financial*refund*", "financial*trade*", "financial*withdraw*",
		"financial*transaction*", "payment*create*", "payment*send*", "payment*execute*", "payment*refund*", "payment", "invoice*create*",
	}
	typesWithRecipients = []v1alpha1.Glob{"email*send*", "message*send*", "sms*send*", "notification*send*", "send*email*", "send*message*"}

	builtInBlastRadius = []v1alpha1.BlastRadius{
		// 5.4 + 1.0 + 0.8 = 7.2: seed, step 4.
		{Parameter: "affected_rows", Above: 0, Delta: "+0.8", ActionTypes: typesWithRows},
		{Parameter: "affected_rows", Above: 100, Delta: "+1.6", ActionTypes: typesWithRows},
		{Parameter: "affected_rows", Above: 10_000, Delta: "+2.4", ActionTypes: typesWithRows},
		// 10,000 is the limit in ASCEND's own example of a smart rule.
		{Parameter: "amount", Above: 1_000, Delta: "+0.5", ActionTypes: typesWithAmount},
		{Parameter: "amount", Above: 10_000, Delta: "+1.0", ActionTypes: typesWithAmount},
		{Parameter: "amount", Above: 100_000, Delta: "+2.0", ActionTypes: typesWithAmount},
		// The same steps, for a mailing that nobody can call back.
		{Parameter: "recipients", Above: 10, Delta: "+0.5", ActionTypes: typesWithRecipients},
		{Parameter: "recipients", Above: 100, Delta: "+1.0", ActionTypes: typesWithRecipients},
		{Parameter: "recipients", Above: 1_000, Delta: "+2.0", ActionTypes: typesWithRecipients},
	}
)

// BuiltIn returns the model that is used where a RiskModel says nothing: a
// copy, sorted by pattern, that the caller may change.
func BuiltIn() *v1alpha1.RiskModelSpec {
	spec := &v1alpha1.RiskModelSpec{
		DataClassifications: slices.Clone(builtInClassifications),
		Environments:        slices.Clone(builtInEnvironments),
		BlastRadius:         slices.Clone(builtInBlastRadius),
	}
	for i := range spec.BlastRadius {
		spec.BlastRadius[i].ActionTypes = slices.Clone(spec.BlastRadius[i].ActionTypes)
	}
	for _, row := range builtInActionTypes {
		for name := range strings.FieldsSeq(row.names) {
			spec.ActionTypes = append(spec.ActionTypes, v1alpha1.ActionTypeRisk{
				Pattern:    v1alpha1.Glob(name),
				CVSSVector: v1alpha1.CVSSVector(row.vector),
			})
		}
	}
	slices.SortFunc(spec.ActionTypes, func(a, b v1alpha1.ActionTypeRisk) int {
		return strings.Compare(string(a.Pattern), string(b.Pattern))
	})
	return spec
}
