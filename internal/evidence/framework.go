// SPDX-License-Identifier: Apache-2.0

// Package evidence makes a folder for an auditor: what the trail has for the controls
// of one compliance framework, readable, countable, and verifiable.
package evidence

import (
	"strings"
)

// Framework names a compliance framework or a catalogue of attacks, as the controls
// of rules do before their colon.
type Framework string

// The frameworks that have a title here. Rules may name others.
const (
	NIST  Framework = "NIST-800-53"
	SOC2  Framework = "SOC2"
	PCI   Framework = "PCI-DSS"
	HIPAA Framework = "HIPAA"
	MITRE Framework = "MITRE-ATTACK"
)

// Known are the frameworks that have a title here.
var Known = []Framework{NIST, SOC2, PCI, HIPAA, MITRE}

var frameworkTitles = map[Framework]string{
	NIST:  "NIST SP 800-53",
	SOC2:  "SOC 2, Trust Services Criteria",
	PCI:   "PCI DSS",
	HIPAA: "HIPAA, 45 CFR Part 164",
	MITRE: "MITRE ATT&CK",
}

// ParseFramework finds a known framework in any case. Another name stays as it is.
func ParseFramework(text string) Framework {
	for _, known := range Known {
		if strings.EqualFold(string(known), strings.TrimSpace(text)) {
			return known
		}
	}
	return Framework(strings.TrimSpace(text))
}

// Title is the framework's name for people.
func (f Framework) Title() string {
	if title, known := frameworkTitles[f]; known {
		return title
	}
	return string(f)
}

// Has says whether a control is of the framework, and returns its identifier there.
func (f Framework) Has(control string) (id string, has bool) {
	of, id, found := strings.Cut(control, ":")
	return id, found && id != "" && strings.EqualFold(of, string(f))
}

// controlTitles are short words for controls that rules often name. Source of those
// of NIST: SP 800-53 Rev. 5, which is in the public domain; of MITRE: the names of the
// techniques; of the others: words of ours for what the requirement is about.
var controlTitles = map[string]string{
	"NIST-800-53:AC-2":     "Account Management",
	"NIST-800-53:AC-2(11)": "Account Management: Usage Conditions",
	"NIST-800-53:AC-3":     "Access Enforcement",
	"NIST-800-53:AC-3(2)":  "Access Enforcement: Dual Authorization",
	"NIST-800-53:AC-4":     "Information Flow Enforcement",
	"NIST-800-53:AC-5":     "Separation of Duties",
	"NIST-800-53:AC-6":     "Least Privilege",
	"NIST-800-53:AC-20":    "Use of External Systems",
	"NIST-800-53:AC-22":    "Publicly Accessible Content",
	"NIST-800-53:AC-23":    "Data Mining Protection",
	"NIST-800-53:AU-9":     "Protection of Audit Information",
	"NIST-800-53:AU-10":    "Non-repudiation",
	"NIST-800-53:AU-12":    "Audit Record Generation",
	"NIST-800-53:CM-3":     "Configuration Change Control",
	"NIST-800-53:CM-5":     "Access Restrictions for Change",
	"NIST-800-53:CM-7":     "Least Functionality",
	"NIST-800-53:IA-5":     "Authenticator Management",
	"NIST-800-53:SC-7":     "Boundary Protection",
	"NIST-800-53:SC-7(10)": "Boundary Protection: Prevent Exfiltration",
	"NIST-800-53:SI-4":     "System Monitoring",
	"NIST-800-53:SI-7":     "Software, Firmware, and Information Integrity",
	"NIST-800-53:SI-10":    "Information Input Validation",

	"SOC2:CC2.3": "Communication with external parties",
	"SOC2:CC6.1": "Logical access security",
	"SOC2:CC6.2": "Registration and authorization of users",
	"SOC2:CC6.3": "Roles, least privilege and separation of duties",
	"SOC2:CC6.7": "Movement of information",
	"SOC2:CC6.8": "Unauthorized or malicious software",
	"SOC2:CC7.2": "Monitoring for anomalies",
	"SOC2:CC8.1": "Change management",
	"SOC2:PI1.3": "Processing as specified",

	"PCI-DSS:6.2.4":  "Common attacks on software",
	"PCI-DSS:6.5.1":  "Control of changes in production",
	"PCI-DSS:7.2":    "Access is defined and assigned",
	"PCI-DSS:10.3.1": "Read access to audit logs",
	"PCI-DSS:10.3.2": "Audit logs cannot be modified",
	"PCI-DSS:10.7.2": "Failures of security controls are noticed",

	"HIPAA:164.308(a)(4)": "Information access management",
	"HIPAA:164.312(a)(1)": "Access control",
	"HIPAA:164.312(b)":    "Audit controls",
	"HIPAA:164.312(c)(1)": "Integrity",
	"HIPAA:164.312(d)":    "Person or entity authentication",
	"HIPAA:164.312(e)(1)": "Transmission security",
	"HIPAA:164.502(b)":    "Minimum necessary",

	"MITRE-ATTACK:T1048":     "Exfiltration Over Alternative Protocol",
	"MITRE-ATTACK:T1059":     "Command and Scripting Interpreter",
	"MITRE-ATTACK:T1070":     "Indicator Removal",
	"MITRE-ATTACK:T1072":     "Software Deployment Tools",
	"MITRE-ATTACK:T1098":     "Account Manipulation",
	"MITRE-ATTACK:T1105":     "Ingress Tool Transfer",
	"MITRE-ATTACK:T1213":     "Data from Information Repositories",
	"MITRE-ATTACK:T1485":     "Data Destruction",
	"MITRE-ATTACK:T1552.001": "Unsecured Credentials: Credentials In Files",
	"MITRE-ATTACK:T1555":     "Credentials from Password Stores",
	"MITRE-ATTACK:T1561":     "Disk Wipe",
	"MITRE-ATTACK:T1562":     "Impair Defenses",
	"MITRE-ATTACK:T1565.001": "Data Manipulation: Stored Data Manipulation",
	"MITRE-ATTACK:T1566":     "Phishing",
	"MITRE-ATTACK:T1567":     "Exfiltration Over Web Service",
	"MITRE-ATTACK:T1657":     "Financial Theft",
}
