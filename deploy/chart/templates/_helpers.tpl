{{/* Names, labels, and what the pods have in common. */}}

{{- define "auria.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "auria.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "auria.labels" -}}
{{ include "auria.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "auria.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "auria.account" -}}
{{ .Values.serviceAccount.name | default (include "auria.name" .) }}
{{- end }}

{{- define "auria.claim" -}}
{{ .Values.persistence.existingClaim | default (printf "%s-home" (include "auria.name" .)) }}
{{- end }}

{{- define "auria.url" -}}
{{ if .Values.ingress.tlsSecret }}https{{ else }}http{{ end }}://{{ .Values.ingress.host }}
{{- end }}

{{/* A pod's fields beside its containers: .root, .part and .values, those of the part. */}}
{{- define "auria.pod" -}}
serviceAccountName: {{ include "auria.account" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .root.Values.userId }}
  runAsGroup: {{ .root.Values.userId }}
  fsGroup: {{ .root.Values.userId }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and (ne .part "daemon") (eq .root.Values.persistence.accessMode "ReadWriteOnce") }}
affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "auria.selector" (dict "root" .root "part" "daemon") | nindent 12 }}
{{- end }}
volumes:
  - name: home
    persistentVolumeClaim:
      claimName: {{ include "auria.claim" .root }}
  - name: tmp
    emptyDir: {}
  {{- if .root.Values.settings }}
  - name: settings
    configMap:
      name: {{ include "auria.name" .root }}
  {{- end }}
{{- end }}

{{/* A container's fields that every part has: .root and .values. */}}
{{- define "auria.container" -}}
image: {{ include "auria.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
resources:
  {{- toYaml .values.resources | nindent 2 }}
volumeMounts:
  - name: home
    mountPath: /auria
  - name: tmp
    mountPath: /tmp
  {{- if .root.Values.settings }}
  - name: settings
    mountPath: /etc/auria
    readOnly: true
  {{- end }}
{{- with .root.Values.envSecrets }}
envFrom:
  {{- range . }}
  - secretRef:
      name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The template of a pod of the Ray cluster: .root, .part, .values, .resources and .head. KubeRay adds the command. */}}
{{- define "auria.rayPod" -}}
metadata:
  labels:
    {{- include "auria.labels" . | nindent 4 }}
  annotations:
    {{- include "auria.annotations" .root | nindent 4 }}
spec:
  terminationGracePeriodSeconds: 45
  {{- include "auria.pod" . | nindent 2 }}
  containers:
    - name: {{ if .head }}head{{ else }}worker{{ end }}
      {{- include "auria.container" (dict "root" .root "values" (dict "resources" .resources)) | nindent 6 }}
      env:
        {{- include "auria.env" .root | nindent 8 }}
        - name: RAY_USAGE_STATS_ENABLED
          value: "0"
      ports:
        - name: serve
          containerPort: 8630
        {{- if .head }}
        - name: gcs-server
          containerPort: 6379
        - name: dashboard
          containerPort: 8265
        {{- end }}
      startupProbe:
        httpGet: {path: /api/local_raylet_healthz, port: 52365}
        periodSeconds: 3
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /api/local_raylet_healthz, port: 52365}
        periodSeconds: 30
        timeoutSeconds: 10
      readinessProbe: # a worker is ready while it takes requests; KubeRay asks the head's proxy itself
        {{- if .head }}
        httpGet: {path: /api/local_raylet_healthz, port: 52365}
        {{- else }}
        httpGet: {path: /-/healthz, port: serve}
        {{- end }}
        periodSeconds: 5
        timeoutSeconds: 5
{{- end }}

{{/* Environment variables that every part has. */}}
{{- define "auria.env" -}}
- name: HOME
  value: /tmp
{{- if .Values.settings }}
- name: AURIA_CONFIG
  value: /etc/auria/auria.toml
{{- end }}
{{- if and .Values.web.enabled .Values.ingress.enabled }}
- name: AURIA_WEB__URL
  value: {{ include "auria.url" . }}
{{- end }}
{{- range $name, $value := .Values.env }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{- define "auria.databaseEnv" -}}
- name: AURIA_DATABASE__URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.secretName }}
      key: {{ .Values.database.secretKey }}
{{- with .Values.storage }}
{{- if .pictures }}
- name: AURIA_STORAGE__PICTURES
  value: {{ .pictures | quote }}
- name: AURIA_STORAGE__ENDPOINT
  value: {{ .endpoint | quote }}
- name: AURIA_STORAGE__REGION
  value: {{ .region | quote }}
{{- if .secretName }}
- name: AURIA_SECRET_STORAGE_ACCESS_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .secretName }}
      key: {{ .accessKeyKey }}
- name: AURIA_SECRET_STORAGE_SECRET_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .secretName }}
      key: {{ .secretKeyKey }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Annotations by which a pod is replaced when the settings change. */}}
{{- define "auria.annotations" -}}
checksum/settings: {{ toToml .Values.settings | sha256sum }}
{{- end }}
