"""First tables

Revision ID: 0001
Revises:
Create Date: 2026-11-23
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('audit_chain',
    sa.Column('chain', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('head', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('chain', name=op.f('pk_audit_chain'))
    )
    op.create_table('audit_event',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('chain', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('actor_role', sa.String(length=40), nullable=False),
    sa.Column('action', sa.String(length=40), nullable=False),
    sa.Column('object_kind', sa.String(length=40), nullable=False),
    sa.Column('object_ref', sa.String(length=40), nullable=False),
    sa.Column('result', sa.String(length=40), nullable=False),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.Column('address', sa.LargeBinary(), nullable=True),
    sa.Column('previous_digest', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_event')),
    sa.UniqueConstraint('chain', 'seq', name=op.f('uq_audit_event_chain_seq'))
    )
    with op.batch_alter_table('audit_event', schema=None) as batch_op:
        batch_op.create_index('ix_audit_event_at', ['at'], unique=False)

    op.create_table('calendar_year',
    sa.Column('year', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('published', sa.Boolean(), server_default=sa.text('(false)'), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('year', name=op.f('pk_calendar_year'))
    )
    op.create_table('event_seal',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('sealed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_event_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('chains', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('previous_digest', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_event_seal'))
    )
    op.create_table('job',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('params', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('asked_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('done', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('total', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('attempts', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('leased_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error', sa.String(length=40), nullable=False),
    sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name=op.f('ck_job_state')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_job'))
    )
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.create_index('ix_job_state_created_at', ['state', 'created_at'], unique=False)

    op.create_table('legal_transition',
    sa.Column('before', sa.String(length=40), nullable=False),
    sa.Column('after', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('before', 'after', name=op.f('pk_legal_transition'))
    )
    op.create_table('plan_item',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('source_text', sa.Text(), nullable=False),
    sa.Column('starred', sa.Boolean(), nullable=False),
    sa.Column('raw_unit_text', sa.Text(), nullable=False),
    sa.Column('notes', sa.Text(), nullable=False),
    sa.CheckConstraint("kind IN ('special_plan', 'indicator', 'key_task', 'major_project', 'regional_plan')", name=op.f('ck_plan_item_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plan_item')),
    sa.UniqueConstraint('key', name=op.f('uq_plan_item_key'))
    )
    with op.batch_alter_table('plan_item', schema=None) as batch_op:
        batch_op.create_index('ix_plan_item_kind_position', ['kind', 'position'], unique=False)

    op.create_table('programme',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('slug', sa.String(length=80), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_programme')),
    sa.UniqueConstraint('slug', name=op.f('uq_programme_slug'))
    )
    op.create_table('unit',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('short_name', sa.Text(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('assignable', sa.Boolean(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('daily_digest', sa.Boolean(), nullable=False),
    sa.CheckConstraint("kind IN ('department', 'town', 'park', 'company', 'mass_organisation', 'group')", name=op.f('ck_unit_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unit')),
    sa.UniqueConstraint('code', name=op.f('uq_unit_code'))
    )
    op.create_table('calendar_day',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('year', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('works', sa.Boolean(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['year'], ['calendar_year.year'], name=op.f('fk_calendar_day_year'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_calendar_day'))
    )
    with op.batch_alter_table('calendar_day', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_calendar_day_year'), ['year'], unique=False)

    op.create_table('consultation',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('programme_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('owner_unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('slug', sa.String(length=80), nullable=False),
    sa.Column('short_code', sa.String(length=12), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('stage', sa.String(length=40), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('published_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('created_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('shortened', sa.Boolean(), nullable=False),
    sa.Column('shortening_reason', sa.Text(), nullable=False),
    sa.Column('drafting_note', sa.Text(), nullable=False),
    sa.Column('how_to_comment', sa.Text(), nullable=False),
    sa.Column('contact_unit', sa.Text(), nullable=False),
    sa.Column('contact_phone', sa.Text(), nullable=False),
    sa.Column('contact_email', sa.Text(), nullable=False),
    sa.Column('contact_address', sa.Text(), nullable=False),
    sa.Column('adjustment_note', sa.Text(), nullable=False),
    sa.Column('impact_assessment_no', sa.Text(), nullable=False),
    sa.Column('notice_version', sa.String(length=40), nullable=False),
    sa.Column('retention_months', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('contact_rule', sa.String(length=40), nullable=False),
    sa.Column('collating_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('feedback_published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('terminated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('termination_reason', sa.Text(), nullable=False),
    sa.Column('next_serial', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('event_seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('event_head', sa.String(length=64), nullable=False),
    sa.Column('version', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("stage IN ('draft', 'not_started', 'collating', 'feedback_published', 'archived')", name=op.f('ck_consultation_stage')),
    sa.CheckConstraint('ends_on >= starts_on', name=op.f('ck_consultation_period')),
    sa.CheckConstraint('retention_months BETWEEN 1 AND 12', name=op.f('ck_consultation_retention')),
    sa.ForeignKeyConstraint(['owner_unit_id'], ['unit.id'], name=op.f('fk_consultation_owner_unit_id')),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_consultation_programme_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consultation')),
    sa.UniqueConstraint('short_code', name=op.f('uq_consultation_short_code')),
    sa.UniqueConstraint('slug', name=op.f('uq_consultation_slug'))
    )
    with op.batch_alter_table('consultation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_consultation_owner_unit_id'), ['owner_unit_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_consultation_programme_id'), ['programme_id'], unique=False)

    op.create_table('editorial_note',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('location', sa.Text(), nullable=False),
    sa.Column('item_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('original', sa.Text(), nullable=False),
    sa.Column('repaired', sa.Text(), nullable=False),
    sa.Column('certainty', sa.String(length=40), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.CheckConstraint("certainty IN ('certain', 'likely', 'unclear')", name=op.f('ck_editorial_note_certainty')),
    sa.ForeignKeyConstraint(['item_id'], ['plan_item.id'], name=op.f('fk_editorial_note_item_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_editorial_note')),
    sa.UniqueConstraint('code', name=op.f('uq_editorial_note_code'))
    )
    with op.batch_alter_table('editorial_note', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_editorial_note_item_id'), ['item_id'], unique=False)

    op.create_table('plan_item_unit',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('item_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('role', sa.String(length=40), nullable=False),
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint("role IN ('lead', 'other')", name=op.f('ck_plan_item_unit_role')),
    sa.ForeignKeyConstraint(['item_id'], ['plan_item.id'], name=op.f('fk_plan_item_unit_item_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_plan_item_unit_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plan_item_unit')),
    sa.UniqueConstraint('item_id', 'unit_id', name=op.f('uq_plan_item_unit_item_id_unit_id'))
    )
    with op.batch_alter_table('plan_item_unit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_plan_item_unit_unit_id'), ['unit_id'], unique=False)

    op.create_table('programme_stage',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('programme_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('track', sa.Text(), nullable=False),
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('source_when', sa.Text(), nullable=False),
    sa.Column('when_text', sa.Text(), nullable=False),
    sa.Column('starts_month', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ends_month', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_programme_stage_programme_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_programme_stage')),
    sa.UniqueConstraint('programme_id', 'track', 'position', name=op.f('uq_programme_stage_programme_id_track_position'))
    )
    op.create_table('staff_member',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('username', sa.String(length=64), nullable=False),
    sa.Column('display_name', sa.Text(), nullable=False),
    sa.Column('person_key', sa.String(length=64), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=False),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('email', sa.LargeBinary(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('must_change_password', sa.Boolean(), nullable=False),
    sa.Column('shortcuts', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_staff_member_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_member')),
    sa.UniqueConstraint('username', name=op.f('uq_staff_member_username'))
    )
    with op.batch_alter_table('staff_member', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_member_person_key'), ['person_key'], unique=False)
        batch_op.create_index(batch_op.f('ix_staff_member_unit_id'), ['unit_id'], unique=False)

    op.create_table('unit_alias',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('alias', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_unit_alias_unit_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unit_alias')),
    sa.UniqueConstraint('alias', name=op.f('uq_unit_alias_alias'))
    )
    with op.batch_alter_table('unit_alias', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_unit_alias_unit_id'), ['unit_id'], unique=False)

    op.create_table('unit_member',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('group_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['group_id'], ['unit.id'], name=op.f('fk_unit_member_group_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_unit_member_unit_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unit_member')),
    sa.UniqueConstraint('group_id', 'unit_id', name=op.f('uq_unit_member_group_id_unit_id'))
    )
    with op.batch_alter_table('unit_member', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_unit_member_unit_id'), ['unit_id'], unique=False)

    op.create_table('comment_tally',
    sa.Column('consultation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('section_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('block_key', sa.String(length=40), nullable=False),
    sa.Column('standing', sa.String(length=40), nullable=False),
    sa.Column('n', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint('n >= 0', name=op.f('ck_comment_tally_never_negative')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultation.id'], name=op.f('fk_comment_tally_consultation_id')),
    sa.PrimaryKeyConstraint('consultation_id', 'section_id', 'block_key', 'standing', name=op.f('pk_comment_tally')),
    sqlite_with_rowid=False
    )
    op.create_table('consultation_event',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('consultation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('actor_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('actor_role', sa.String(length=40), nullable=False),
    sa.Column('before', sa.String(length=40), nullable=False),
    sa.Column('after', sa.String(length=40), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('previous_digest', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultation.id'], name=op.f('fk_consultation_event_consultation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consultation_event')),
    sa.UniqueConstraint('consultation_id', 'seq', name=op.f('uq_consultation_event_consultation_id_seq'))
    )
    op.create_table('draft_version',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('consultation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('preamble', sa.Text(), nullable=False),
    sa.Column('source_name', sa.Text(), nullable=False),
    sa.Column('source_sha256', sa.String(length=64), nullable=False),
    sa.Column('warnings', sa.JSON(), nullable=False),
    sa.Column('cleaner_version', sa.String(length=40), nullable=False),
    sa.Column('imported_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('imported_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('correction_note', sa.Text(), nullable=False),
    sa.CheckConstraint("state IN ('editing', 'published')", name=op.f('ck_draft_version_state')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultation.id'], name=op.f('fk_draft_version_consultation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draft_version')),
    sa.UniqueConstraint('consultation_id', 'number', name=op.f('uq_draft_version_consultation_id_number'))
    )
    op.create_table('export_record',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('job_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('staff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('table_name', sa.String(length=40), nullable=False),
    sa.Column('format', sa.String(length=40), nullable=False),
    sa.Column('criteria', sa.JSON(), nullable=False),
    sa.Column('with_contact', sa.Boolean(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('as_of', sa.DateTime(timezone=True), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('rows', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('stored_as', sa.String(length=80), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("format IN ('xlsx', 'csv', 'json', 'docx')", name=op.f('ck_export_record_format')),
    sa.ForeignKeyConstraint(['job_id'], ['job.id'], name=op.f('fk_export_record_job_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_export_record_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_export_record'))
    )
    with op.batch_alter_table('export_record', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_export_record_job_id'), ['job_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_export_record_staff_id'), ['staff_id'], unique=False)

    op.create_table('period_extension',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('consultation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('old_end', sa.Date(), nullable=False),
    sa.Column('new_end', sa.Date(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('notice_no', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultation.id'], name=op.f('fk_period_extension_consultation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_period_extension'))
    )
    with op.batch_alter_table('period_extension', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_period_extension_consultation_id'), ['consultation_id'], unique=False)

    op.create_table('role_grant',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('staff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('role', sa.String(length=40), nullable=False),
    sa.Column('consultation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('granted_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('granted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("role IN ('reviewer', 'assigner', 'sign_off_officer', 'supervisor', 'unit_officer', 'unit_leader', 'sysadmin', 'security_auditor')", name=op.f('ck_role_grant_role')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultation.id'], name=op.f('fk_role_grant_consultation_id')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_role_grant_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_role_grant'))
    )
    with op.batch_alter_table('role_grant', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_role_grant_staff_id'), ['staff_id'], unique=False)
        batch_op.create_index('uq_role_grant_everywhere', ['staff_id', 'role'], unique=True, sqlite_where=sa.text('revoked_at IS NULL AND consultation_id IS NULL'), postgresql_where=sa.text('revoked_at IS NULL AND consultation_id IS NULL'))
        batch_op.create_index('uq_role_grant_in_one', ['staff_id', 'role', 'consultation_id'], unique=True, sqlite_where=sa.text('revoked_at IS NULL AND consultation_id IS NOT NULL'), postgresql_where=sa.text('revoked_at IS NULL AND consultation_id IS NOT NULL'))

    op.create_table('section',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('consultation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultation.id'], name=op.f('fk_section_consultation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_section')),
    sa.UniqueConstraint('consultation_id', 'key', name=op.f('uq_section_consultation_id_key'))
    )
    op.create_table('staff_session',
    sa.Column('token_digest', sa.String(length=64), nullable=False),
    sa.Column('staff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('address', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_staff_session_staff_id')),
    sa.PrimaryKeyConstraint('token_digest', name=op.f('pk_staff_session'))
    )
    with op.batch_alter_table('staff_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_session_staff_id'), ['staff_id'], unique=False)

    op.create_table('section_version',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('draft_version_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('section_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('parent_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('level', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('heading', sa.Text(), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('default_lead_unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('default_lead_reason', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['default_lead_unit_id'], ['unit.id'], name=op.f('fk_section_version_default_lead_unit_id')),
    sa.ForeignKeyConstraint(['draft_version_id'], ['draft_version.id'], name=op.f('fk_section_version_draft_version_id')),
    sa.ForeignKeyConstraint(['parent_id'], ['section_version.id'], name=op.f('fk_section_version_parent_id')),
    sa.ForeignKeyConstraint(['section_id'], ['section.id'], name=op.f('fk_section_version_section_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_section_version')),
    sa.UniqueConstraint('draft_version_id', 'position', name=op.f('uq_section_version_draft_version_id_position')),
    sa.UniqueConstraint('draft_version_id', 'section_id', name=op.f('uq_section_version_draft_version_id_section_id'))
    )
    with op.batch_alter_table('section_version', schema=None) as batch_op:
        batch_op.create_index('ix_section_version_section_id', ['section_id'], unique=False)

    op.create_table('block',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('section_version_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=40), nullable=False),
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('html', sa.Text(), nullable=False),
    sa.Column('cells', sa.JSON(), nullable=False),
    sa.Column('table_no', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('row_no', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint("kind IN ('paragraph', 'list_item', 'quote', 'note', 'table_head', 'table_row', 'image')", name=op.f('ck_block_kind')),
    sa.ForeignKeyConstraint(['section_version_id'], ['section_version.id'], name=op.f('fk_block_section_version_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_block')),
    sa.UniqueConstraint('section_version_id', 'key', name=op.f('uq_block_section_version_id_key')),
    sa.UniqueConstraint('section_version_id', 'position', name=op.f('uq_block_section_version_id_position'))
    )
    op.create_table('comment',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('consultation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('received_in_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('serial', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('receipt_no', sa.String(length=24), nullable=False),
    sa.Column('query_code_digest', sa.String(length=64), nullable=False),
    sa.Column('submission_key', sa.String(length=64), nullable=False),
    sa.Column('handling_state', sa.String(length=40), nullable=False),
    sa.Column('publicity', sa.String(length=40), nullable=False),
    sa.Column('standing', sa.String(length=40), nullable=False),
    sa.Column('closed_as', sa.String(length=40), nullable=False),
    sa.Column('hidden_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('withhold_reason', sa.String(length=40), nullable=False),
    sa.Column('sealed', sa.Boolean(), nullable=False),
    sa.Column('section_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('section_version_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('block_key', sa.String(length=40), nullable=False),
    sa.Column('quote', sa.Text(), nullable=False),
    sa.Column('quote_prefix', sa.Text(), nullable=False),
    sa.Column('quote_suffix', sa.Text(), nullable=False),
    sa.Column('quote_start', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('item_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('body_key', sa.String(length=64), nullable=False),
    sa.Column('submitter_kind', sa.String(length=40), nullable=False),
    sa.Column('source', sa.String(length=40), nullable=False),
    sa.Column('channel', sa.String(length=40), nullable=False),
    sa.Column('masked_name', sa.Text(), nullable=False),
    sa.Column('public_name', sa.Text(), nullable=False),
    sa.Column('age_statement', sa.String(length=40), nullable=False),
    sa.Column('notice_version', sa.String(length=40), nullable=False),
    sa.Column('consent_processing', sa.Boolean(), nullable=False),
    sa.Column('consent_publish_name', sa.Boolean(), nullable=False),
    sa.Column('consent_publish_org_name', sa.Boolean(), nullable=False),
    sa.Column('consented_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('flags', sa.JSON(), nullable=False),
    sa.Column('has_third_party', sa.Boolean(), nullable=False),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('accepted_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('review_due_on', sa.Date(), nullable=True),
    sa.Column('supplement_due_on', sa.Date(), nullable=True),
    sa.Column('supplements_asked', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('claimed_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('claimed_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('suggested_lead_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('lead_unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('assigned_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reply_due_on', sa.Date(), nullable=True),
    sa.Column('return_count', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('rejection_count', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('outcome', sa.String(length=40), nullable=True),
    sa.Column('replied_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('merged_into_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('split_from_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('event_seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('event_head', sa.String(length=64), nullable=False),
    sa.Column('version', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("channel IN ('web', 'paper', 'phone', 'meeting')", name=op.f('ck_comment_channel')),
    sa.CheckConstraint("closed_as IN ('', 'answered', 'not_accepted', 'channel_notice')", name=op.f('ck_comment_closed_as')),
    sa.CheckConstraint("handling_state IN ('pending_review', 'awaiting_supplement', 'accepted', 'to_assign', 'assigned', 'in_progress', 'return_requested', 'pending_sign_off', 'replied', 'closed', 'merged', 'withdrawn')", name=op.f('ck_comment_handling_state')),
    sa.CheckConstraint("outcome IS NULL OR outcome IN ('adopted', 'partly_adopted', 'not_adopted', 'explained', 'reference')", name=op.f('ck_comment_outcome')),
    sa.CheckConstraint("publicity IN ('pending', 'full', 'redacted', 'withheld')", name=op.f('ck_comment_publicity')),
    sa.CheckConstraint("source IN ('resident', 'enterprise', 'delegate', 'expert', 'department')", name=op.f('ck_comment_source')),
    sa.CheckConstraint("standing <> 'public' OR (handling_state NOT IN ('pending_review','awaiting_supplement','withdrawn') AND publicity IN ('full','redacted') AND hidden_at IS NULL)", name=op.f('ck_comment_public_is_reviewed')),
    sa.CheckConstraint("standing IN ('withdrawn', 'not_accepted', 'channel_notice', 'withheld', 'public', 'waiting')", name=op.f('ck_comment_standing')),
    sa.CheckConstraint("submitter_kind IN ('individual', 'organisation')", name=op.f('ck_comment_submitter_kind')),
    sa.CheckConstraint('merged_into_id IS NULL OR merged_into_id <> id', name=op.f('ck_comment_not_into_itself')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultation.id'], name=op.f('fk_comment_consultation_id')),
    sa.ForeignKeyConstraint(['item_id'], ['plan_item.id'], name=op.f('fk_comment_item_id')),
    sa.ForeignKeyConstraint(['lead_unit_id'], ['unit.id'], name=op.f('fk_comment_lead_unit_id')),
    sa.ForeignKeyConstraint(['merged_into_id'], ['comment.id'], name=op.f('fk_comment_merged_into_id')),
    sa.ForeignKeyConstraint(['received_in_id'], ['consultation.id'], name=op.f('fk_comment_received_in_id')),
    sa.ForeignKeyConstraint(['section_id'], ['section.id'], name=op.f('fk_comment_section_id')),
    sa.ForeignKeyConstraint(['section_version_id'], ['section_version.id'], name=op.f('fk_comment_section_version_id')),
    sa.ForeignKeyConstraint(['split_from_id'], ['comment.id'], name=op.f('fk_comment_split_from_id')),
    sa.ForeignKeyConstraint(['suggested_lead_id'], ['unit.id'], name=op.f('fk_comment_suggested_lead_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_comment')),
    sa.UniqueConstraint('consultation_id', 'serial', name=op.f('uq_comment_consultation_id_serial')),
    sa.UniqueConstraint('query_code_digest', name=op.f('uq_comment_query_code_digest')),
    sa.UniqueConstraint('receipt_no', name=op.f('uq_comment_receipt_no')),
    sa.UniqueConstraint('submission_key', name=op.f('uq_comment_submission_key'))
    )
    with op.batch_alter_table('comment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_comment_body_key'), ['body_key'], unique=False)
        batch_op.create_index('ix_comment_by_section', ['section_id', 'standing', 'submitted_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_comment_item_id'), ['item_id'], unique=False)
        batch_op.create_index('ix_comment_lead_state', ['lead_unit_id', 'handling_state', 'reply_due_on', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_comment_merged_into_id'), ['merged_into_id'], unique=False)
        batch_op.create_index('ix_comment_public_table', ['consultation_id', 'standing', 'submitted_at', 'id'], unique=False)
        batch_op.create_index('ix_comment_public_unit', ['consultation_id', 'standing', 'lead_unit_id', 'submitted_at', 'id'], unique=False)
        batch_op.create_index('ix_comment_queue', ['consultation_id', 'handling_state', 'submitted_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_comment_received_in_id'), ['received_in_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_comment_section_version_id'), ['section_version_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_comment_split_from_id'), ['split_from_id'], unique=False)

    op.create_table('section_item',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('section_version_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('item_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['item_id'], ['plan_item.id'], name=op.f('fk_section_item_item_id')),
    sa.ForeignKeyConstraint(['section_version_id'], ['section_version.id'], name=op.f('fk_section_item_section_version_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_section_item')),
    sa.UniqueConstraint('section_version_id', 'item_id', name=op.f('uq_section_item_section_version_id_item_id'))
    )
    with op.batch_alter_table('section_item', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_section_item_item_id'), ['item_id'], unique=False)

    op.create_table('appeal',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('decision_seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('decided_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decision_reason', sa.Text(), nullable=False),
    sa.CheckConstraint("kind IN ('withhold', 'not_accept', 'reply')", name=op.f('ck_appeal_kind')),
    sa.CheckConstraint("state IN ('open', 'upheld', 'refused', 'lapsed')", name=op.f('ck_appeal_state')),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_appeal_comment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_appeal')),
    sa.UniqueConstraint('comment_id', 'kind', 'decision_seq', name=op.f('uq_appeal_comment_id_kind_decision_seq'))
    )
    with op.batch_alter_table('appeal', schema=None) as batch_op:
        batch_op.create_index('ix_appeal_state_due_on', ['state', 'due_on', 'id'], unique=False)

    op.create_table('assignment',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lead_unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('designated', sa.Boolean(), nullable=False),
    sa.Column('basis', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('assigned_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('assigned_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('receipt_due_on', sa.Date(), nullable=True),
    sa.Column('return_due_on', sa.Date(), nullable=True),
    sa.Column('reply_due_on', sa.Date(), nullable=True),
    sa.Column('pending_year', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('extended_due_on', sa.Date(), nullable=True),
    sa.Column('receipted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('receipted_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('auto_receipt', sa.Boolean(), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_why', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_assignment_comment_id')),
    sa.ForeignKeyConstraint(['lead_unit_id'], ['unit.id'], name=op.f('fk_assignment_lead_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assignment')),
    sa.UniqueConstraint('comment_id', 'number', name=op.f('uq_assignment_comment_id_number'))
    )
    with op.batch_alter_table('assignment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_assignment_lead_unit_id'), ['lead_unit_id'], unique=False)
        batch_op.create_index('uq_assignment_in_force', ['comment_id'], unique=True, sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))

    op.create_table('comment_event',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('before', sa.String(length=40), nullable=False),
    sa.Column('after', sa.String(length=40), nullable=False),
    sa.Column('actor_kind', sa.String(length=40), nullable=False),
    sa.Column('actor_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('actor_role', sa.String(length=40), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('previous_digest', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.CheckConstraint("actor_kind IN ('public', 'staff', 'system')", name=op.f('ck_comment_event_actor_kind')),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_comment_event_comment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_comment_event')),
    sa.UniqueConstraint('comment_id', 'seq', name=op.f('uq_comment_event_comment_id_seq'))
    )
    with op.batch_alter_table('comment_event', schema=None) as batch_op:
        batch_op.create_index('ix_comment_event_at', ['at'], unique=False)

    op.create_table('comment_original',
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=True),
    sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_comment_original_comment_id')),
    sa.PrimaryKeyConstraint('comment_id', name=op.f('pk_comment_original'))
    )
    op.create_table('contact_details',
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('name', sa.LargeBinary(), nullable=True),
    sa.Column('phone', sa.LargeBinary(), nullable=True),
    sa.Column('email', sa.LargeBinary(), nullable=True),
    sa.Column('organisation', sa.LargeBinary(), nullable=True),
    sa.Column('credit_code', sa.LargeBinary(), nullable=True),
    sa.Column('phone_index', sa.String(length=64), nullable=True),
    sa.Column('email_index', sa.String(length=64), nullable=True),
    sa.Column('email_declined', sa.Boolean(), nullable=False),
    sa.Column('legal_hold', sa.Text(), nullable=False),
    sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_contact_details_comment_id')),
    sa.PrimaryKeyConstraint('comment_id', name=op.f('pk_contact_details'))
    )
    with op.batch_alter_table('contact_details', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_contact_details_email_index'), ['email_index'], unique=False)
        batch_op.create_index(batch_op.f('ix_contact_details_phone_index'), ['phone_index'], unique=False)

    op.create_table('finding_decision',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('starts', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ends', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('made_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_finding_decision_comment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_finding_decision')),
    sa.UniqueConstraint('comment_id', 'starts', 'ends', 'kind', name=op.f('uq_finding_decision_comment_id_starts_ends_kind'))
    )
    op.create_table('outbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('message_key', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('params', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('attempts', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('leased_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_error', sa.String(length=40), nullable=False),
    sa.CheckConstraint("state IN ('waiting', 'sent', 'parked', 'phone', 'dropped')", name=op.f('ck_outbox_state')),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_outbox_comment_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_outbox_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox')),
    sa.UniqueConstraint('message_key', name=op.f('uq_outbox_message_key'))
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outbox_comment_id'), ['comment_id'], unique=False)
        batch_op.create_index('ix_outbox_state_due_at', ['state', 'due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_outbox_unit_id'), ['unit_id'], unique=False)

    op.create_table('redaction',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('starts', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ends', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('made_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('ends > starts', name=op.f('ck_redaction_span')),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_redaction_comment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_redaction'))
    )
    with op.batch_alter_table('redaction', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_redaction_comment_id'), ['comment_id'], unique=False)

    op.create_table('refused_reply',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('staff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_refused_reply_comment_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_refused_reply_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_refused_reply'))
    )
    with op.batch_alter_table('refused_reply', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_refused_reply_comment_id'), ['comment_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_refused_reply_unit_id'), ['unit_id'], unique=False)

    op.create_table('supplement',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('points', sa.Text(), nullable=False),
    sa.Column('asked_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_supplement_comment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_supplement'))
    )
    with op.batch_alter_table('supplement', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_supplement_comment_id'), ['comment_id'], unique=False)

    op.create_table('two_person_decision',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('reason_code', sa.String(length=40), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('proposed_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("confirmed_by IS NULL OR confirmed_by <> proposed_by OR reason_code = 'submitter_request'", name=op.f('ck_two_person_decision_two_persons')),
    sa.CheckConstraint("kind IN ('withhold', 'not_accept', 'emergency_hide')", name=op.f('ck_two_person_decision_kind')),
    sa.CheckConstraint("state IN ('proposed', 'confirmed', 'refused')", name=op.f('ck_two_person_decision_state')),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_two_person_decision_comment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_two_person_decision'))
    )
    with op.batch_alter_table('two_person_decision', schema=None) as batch_op:
        batch_op.create_index('uq_two_person_decision_open', ['comment_id', 'kind'], unique=True, sqlite_where=sa.text("state = 'proposed'"), postgresql_where=sa.text("state = 'proposed'"))

    op.create_table('clock_pause',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('paused_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('resumed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_clock_pause_assignment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_clock_pause'))
    )
    with op.batch_alter_table('clock_pause', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_clock_pause_assignment_id'), ['assignment_id'], unique=False)

    op.create_table('co_assignment',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('position', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('feedback', sa.Text(), nullable=False),
    sa.Column('feedback_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('feedback_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_co_assignment_assignment_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_co_assignment_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_co_assignment')),
    sa.UniqueConstraint('assignment_id', 'unit_id', name=op.f('uq_co_assignment_assignment_id_unit_id'))
    )
    with op.batch_alter_table('co_assignment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_co_assignment_unit_id'), ['unit_id'], unique=False)

    op.create_table('extension_request',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('until_working_day', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('asked_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decision_reason', sa.Text(), nullable=False),
    sa.CheckConstraint("state IN ('asked', 'approved', 'refused')", name=op.f('ck_extension_request_state')),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_extension_request_assignment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_extension_request'))
    )
    with op.batch_alter_table('extension_request', schema=None) as batch_op:
        batch_op.create_index('uq_extension_request_open', ['assignment_id'], unique=True, sqlite_where=sa.text("state = 'asked'"), postgresql_where=sa.text("state = 'asked'"))

    op.create_table('reply',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('revision', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('outcome', sa.String(length=40), nullable=True),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('draft_location', sa.Text(), nullable=False),
    sa.Column('location_section_key', sa.String(length=40), nullable=False),
    sa.Column('location_version', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('lead_unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('drafted_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('drafted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('approved_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('approved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('approval_note', sa.Text(), nullable=False),
    sa.Column('sign_off_due_on', sa.Date(), nullable=True),
    sa.Column('signed_off_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('signed_off_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('rejection', sa.Text(), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('correction_note', sa.Text(), nullable=False),
    sa.Column('individual_note', sa.Text(), nullable=False),
    sa.CheckConstraint("outcome IS NULL OR outcome IN ('adopted', 'partly_adopted', 'not_adopted', 'explained', 'reference')", name=op.f('ck_reply_outcome')),
    sa.CheckConstraint("state <> 'published' OR (outcome IS NOT NULL AND published_at IS NOT NULL)", name=op.f('ck_reply_complete')),
    sa.CheckConstraint("state IN ('drafting', 'pending_leader', 'pending_sign_off', 'rejected', 'published', 'superseded')", name=op.f('ck_reply_state')),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_reply_assignment_id')),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_reply_comment_id')),
    sa.ForeignKeyConstraint(['lead_unit_id'], ['unit.id'], name=op.f('fk_reply_lead_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reply')),
    sa.UniqueConstraint('comment_id', 'revision', name=op.f('uq_reply_comment_id_revision'))
    )
    with op.batch_alter_table('reply', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reply_assignment_id'), ['assignment_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_reply_lead_unit_id'), ['lead_unit_id'], unique=False)
        batch_op.create_index('uq_reply_published', ['comment_id'], unique=True, sqlite_where=sa.text("state = 'published'"), postgresql_where=sa.text("state = 'published'"))

    op.create_table('return_request',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reason_code', sa.String(length=40), nullable=False),
    sa.Column('explanation', sa.Text(), nullable=False),
    sa.Column('suggested_unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('asked_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decision_reason', sa.Text(), nullable=False),
    sa.CheckConstraint("state IN ('asked', 'approved', 'refused')", name=op.f('ck_return_request_state')),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_return_request_assignment_id')),
    sa.ForeignKeyConstraint(['suggested_unit_id'], ['unit.id'], name=op.f('fk_return_request_suggested_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_return_request'))
    )
    with op.batch_alter_table('return_request', schema=None) as batch_op:
        batch_op.create_index('uq_return_request_open', ['assignment_id'], unique=True, sqlite_where=sa.text("state = 'asked'"), postgresql_where=sa.text("state = 'asked'"))

    op.create_table('supervision',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('cause', sa.String(length=40), nullable=False),
    sa.Column('occasion', sa.String(length=40), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('opened_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answer_due_on', sa.Date(), nullable=True),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('promised_on', sa.Date(), nullable=True),
    sa.Column('answered_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("cause IN ('overdue', 'returned_twice', 'rejected_twice', 'cumulative', 'appeal_upheld', 'by_hand')", name=op.f('ck_supervision_cause')),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_supervision_assignment_id')),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_supervision_comment_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_supervision_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_supervision')),
    sa.UniqueConstraint('comment_id', 'cause', 'occasion', name=op.f('uq_supervision_comment_id_cause_occasion'))
    )
    with op.batch_alter_table('supervision', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_supervision_assignment_id'), ['assignment_id'], unique=False)
        batch_op.create_index('ix_supervision_closed_at', ['closed_at', 'opened_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_supervision_unit_id'), ['unit_id'], unique=False)

    op.create_table('urge',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('recipient', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('on_day', sa.Date(), nullable=False),
    sa.Column('made_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('soon', 'today', 'overdue', 'co_soon', 'co_today', 'co_overdue', 'review', 'route', 'sign_off', 'manual')", name=op.f('ck_urge_kind')),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_urge_assignment_id')),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_urge_comment_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_urge_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_urge')),
    sa.UniqueConstraint('comment_id', 'recipient', 'kind', 'on_day', name=op.f('uq_urge_comment_id_recipient_kind_on_day'))
    )
    with op.batch_alter_table('urge', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_urge_assignment_id'), ['assignment_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_urge_unit_id'), ['unit_id'], unique=False)

    op.create_table('rating',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('comment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reply_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('score', sa.String(length=40), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('rated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("score IN ('satisfied', 'basically', 'dissatisfied')", name=op.f('ck_rating_score')),
    sa.ForeignKeyConstraint(['comment_id'], ['comment.id'], name=op.f('fk_rating_comment_id')),
    sa.ForeignKeyConstraint(['reply_id'], ['reply.id'], name=op.f('fk_rating_reply_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_rating_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rating')),
    sa.UniqueConstraint('reply_id', name=op.f('uq_rating_reply_id'))
    )
    with op.batch_alter_table('rating', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rating_comment_id'), ['comment_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_rating_unit_id'), ['unit_id'], unique=False)

    op.create_table('pending_bulk',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('staff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('action', sa.String(length=40), nullable=False),
    sa.Column('reason_code', sa.String(length=40), nullable=False),
    sa.Column('unit_code', sa.String(length=40), nullable=False),
    sa.Column('rows', sa.JSON(), nullable=False),
    sa.Column('results', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=40), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('takes_effect_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("action IN ('accept', 'accept_and_route', 'assign_suggested', 'assign', 'withhold', 'not_accept')", name=op.f('ck_pending_bulk_action')),
    sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'undone')", name=op.f('ck_pending_bulk_state')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_pending_bulk_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pending_bulk'))
    )
    with op.batch_alter_table('pending_bulk', schema=None) as batch_op:
        batch_op.create_index('ix_pending_bulk_staff_id_asked_at', ['staff_id', 'asked_at'], unique=False)
        batch_op.create_index('ix_pending_bulk_state_takes_effect_at', ['state', 'takes_effect_at'], unique=False)

    op.create_table('saved_filter',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('staff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('criteria', sa.JSON(), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_member.id'], name=op.f('fk_saved_filter_staff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_filter')),
    sa.UniqueConstraint('staff_id', 'name', name=op.f('uq_saved_filter_staff_id_name'))
    )
    guard()


def downgrade() -> None:
    unguard()
    op.drop_table('saved_filter')
    with op.batch_alter_table('pending_bulk', schema=None) as batch_op:
        batch_op.drop_index('ix_pending_bulk_state_takes_effect_at')
        batch_op.drop_index('ix_pending_bulk_staff_id_asked_at')

    op.drop_table('pending_bulk')
    with op.batch_alter_table('rating', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_rating_unit_id'))
        batch_op.drop_index(batch_op.f('ix_rating_comment_id'))

    op.drop_table('rating')
    with op.batch_alter_table('urge', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_urge_unit_id'))
        batch_op.drop_index(batch_op.f('ix_urge_assignment_id'))

    op.drop_table('urge')
    with op.batch_alter_table('supervision', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_supervision_unit_id'))
        batch_op.drop_index('ix_supervision_closed_at')
        batch_op.drop_index(batch_op.f('ix_supervision_assignment_id'))

    op.drop_table('supervision')
    with op.batch_alter_table('return_request', schema=None) as batch_op:
        batch_op.drop_index('uq_return_request_open', sqlite_where=sa.text("state = 'asked'"), postgresql_where=sa.text("state = 'asked'"))

    op.drop_table('return_request')
    with op.batch_alter_table('reply', schema=None) as batch_op:
        batch_op.drop_index('uq_reply_published', sqlite_where=sa.text("state = 'published'"), postgresql_where=sa.text("state = 'published'"))
        batch_op.drop_index(batch_op.f('ix_reply_lead_unit_id'))
        batch_op.drop_index(batch_op.f('ix_reply_assignment_id'))

    op.drop_table('reply')
    with op.batch_alter_table('extension_request', schema=None) as batch_op:
        batch_op.drop_index('uq_extension_request_open', sqlite_where=sa.text("state = 'asked'"), postgresql_where=sa.text("state = 'asked'"))

    op.drop_table('extension_request')
    with op.batch_alter_table('co_assignment', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_co_assignment_unit_id'))

    op.drop_table('co_assignment')
    with op.batch_alter_table('clock_pause', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_clock_pause_assignment_id'))

    op.drop_table('clock_pause')
    with op.batch_alter_table('two_person_decision', schema=None) as batch_op:
        batch_op.drop_index('uq_two_person_decision_open', sqlite_where=sa.text("state = 'proposed'"), postgresql_where=sa.text("state = 'proposed'"))

    op.drop_table('two_person_decision')
    with op.batch_alter_table('supplement', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_supplement_comment_id'))

    op.drop_table('supplement')
    with op.batch_alter_table('refused_reply', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_refused_reply_unit_id'))
        batch_op.drop_index(batch_op.f('ix_refused_reply_comment_id'))

    op.drop_table('refused_reply')
    with op.batch_alter_table('redaction', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_redaction_comment_id'))

    op.drop_table('redaction')
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_outbox_unit_id'))
        batch_op.drop_index('ix_outbox_state_due_at')
        batch_op.drop_index(batch_op.f('ix_outbox_comment_id'))

    op.drop_table('outbox')
    op.drop_table('finding_decision')
    with op.batch_alter_table('contact_details', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_contact_details_phone_index'))
        batch_op.drop_index(batch_op.f('ix_contact_details_email_index'))

    op.drop_table('contact_details')
    op.drop_table('comment_original')
    with op.batch_alter_table('comment_event', schema=None) as batch_op:
        batch_op.drop_index('ix_comment_event_at')

    op.drop_table('comment_event')
    with op.batch_alter_table('assignment', schema=None) as batch_op:
        batch_op.drop_index('uq_assignment_in_force', sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_assignment_lead_unit_id'))

    op.drop_table('assignment')
    with op.batch_alter_table('appeal', schema=None) as batch_op:
        batch_op.drop_index('ix_appeal_state_due_on')

    op.drop_table('appeal')
    with op.batch_alter_table('section_item', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_section_item_item_id'))

    op.drop_table('section_item')
    with op.batch_alter_table('comment', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_comment_split_from_id'))
        batch_op.drop_index(batch_op.f('ix_comment_section_version_id'))
        batch_op.drop_index(batch_op.f('ix_comment_received_in_id'))
        batch_op.drop_index('ix_comment_queue')
        batch_op.drop_index('ix_comment_public_unit')
        batch_op.drop_index('ix_comment_public_table')
        batch_op.drop_index(batch_op.f('ix_comment_merged_into_id'))
        batch_op.drop_index('ix_comment_lead_state')
        batch_op.drop_index(batch_op.f('ix_comment_item_id'))
        batch_op.drop_index('ix_comment_by_section')
        batch_op.drop_index(batch_op.f('ix_comment_body_key'))

    op.drop_table('comment')
    op.drop_table('block')
    with op.batch_alter_table('section_version', schema=None) as batch_op:
        batch_op.drop_index('ix_section_version_section_id')

    op.drop_table('section_version')
    with op.batch_alter_table('staff_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_session_staff_id'))

    op.drop_table('staff_session')
    op.drop_table('section')
    with op.batch_alter_table('role_grant', schema=None) as batch_op:
        batch_op.drop_index('uq_role_grant_in_one', sqlite_where=sa.text('revoked_at IS NULL AND consultation_id IS NOT NULL'), postgresql_where=sa.text('revoked_at IS NULL AND consultation_id IS NOT NULL'))
        batch_op.drop_index('uq_role_grant_everywhere', sqlite_where=sa.text('revoked_at IS NULL AND consultation_id IS NULL'), postgresql_where=sa.text('revoked_at IS NULL AND consultation_id IS NULL'))
        batch_op.drop_index(batch_op.f('ix_role_grant_staff_id'))

    op.drop_table('role_grant')
    with op.batch_alter_table('period_extension', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_period_extension_consultation_id'))

    op.drop_table('period_extension')
    with op.batch_alter_table('export_record', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_export_record_staff_id'))
        batch_op.drop_index(batch_op.f('ix_export_record_job_id'))

    op.drop_table('export_record')
    op.drop_table('draft_version')
    op.drop_table('consultation_event')
    op.drop_table('comment_tally')
    with op.batch_alter_table('unit_member', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_unit_member_unit_id'))

    op.drop_table('unit_member')
    with op.batch_alter_table('unit_alias', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_unit_alias_unit_id'))

    op.drop_table('unit_alias')
    with op.batch_alter_table('staff_member', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_member_unit_id'))
        batch_op.drop_index(batch_op.f('ix_staff_member_person_key'))

    op.drop_table('staff_member')
    op.drop_table('programme_stage')
    with op.batch_alter_table('plan_item_unit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_plan_item_unit_unit_id'))

    op.drop_table('plan_item_unit')
    with op.batch_alter_table('editorial_note', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_editorial_note_item_id'))

    op.drop_table('editorial_note')
    with op.batch_alter_table('consultation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_consultation_programme_id'))
        batch_op.drop_index(batch_op.f('ix_consultation_owner_unit_id'))

    op.drop_table('consultation')
    with op.batch_alter_table('calendar_day', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_calendar_day_year'))

    op.drop_table('calendar_day')
    op.drop_table('unit')
    op.drop_table('programme')
    with op.batch_alter_table('plan_item', schema=None) as batch_op:
        batch_op.drop_index('ix_plan_item_kind_position')

    op.drop_table('plan_item')
    op.drop_table('legal_transition')
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.drop_index('ix_job_state_created_at')

    op.drop_table('job')
    op.drop_table('event_seal')
    op.drop_table('calendar_year')
    with op.batch_alter_table('audit_event', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_event_at')

    op.drop_table('audit_event')
    op.drop_table('audit_chain')


# What follows is written by hand: triggers keep the logs append-only and the state table law, whatever
# program writes to the store. The pairs are T01 to T35 of the state table without the moves that keep a state.
LOGS = ("comment_event", "consultation_event", "audit_event", "event_seal")
MOVES = (
    ("pending_review", "accepted"),
    ("pending_review", "awaiting_supplement"),
    ("pending_review", "closed"),
    ("pending_review", "withdrawn"),
    ("awaiting_supplement", "pending_review"),
    ("awaiting_supplement", "withdrawn"),
    ("accepted", "to_assign"),
    ("accepted", "merged"),
    ("accepted", "withdrawn"),
    ("to_assign", "assigned"),
    ("to_assign", "merged"),
    ("to_assign", "withdrawn"),
    ("assigned", "in_progress"),
    ("assigned", "return_requested"),
    ("in_progress", "return_requested"),
    ("in_progress", "pending_sign_off"),
    ("return_requested", "to_assign"),
    ("return_requested", "in_progress"),
    ("pending_sign_off", "in_progress"),
    ("pending_sign_off", "replied"),
    ("replied", "closed"),
    ("replied", "in_progress"),
    ("closed", "in_progress"),
    ("closed", "pending_review"),
    ("merged", "to_assign"),
    ("merged", "replied"),
    ("merged", "withdrawn"),
)


def _guard_sqlite() -> None:
    for log in LOGS:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {log}_no_{verb.lower()} BEFORE {verb} ON {log} "
                f"BEGIN SELECT RAISE(ABORT, '{log} is append-only'); END"
            )
        # INSERT OR REPLACE deletes the old row without a DELETE trigger, so the insert itself is refused.
        op.execute(
            f"CREATE TRIGGER {log}_no_replace BEFORE INSERT ON {log} "
            f"WHEN NEW.id IS NOT NULL AND EXISTS (SELECT 1 FROM {log} WHERE id = NEW.id) "
            f"BEGIN SELECT RAISE(ABORT, '{log} is append-only'); END"
        )
    for log, chain in (("comment_event", "comment_id"), ("consultation_event", "consultation_id"), ("audit_event", "chain")):
        op.execute(
            f"CREATE TRIGGER {log}_no_second BEFORE INSERT ON {log} "
            f"WHEN EXISTS (SELECT 1 FROM {log} WHERE {chain} = NEW.{chain} AND seq = NEW.seq) "
            f"BEGIN SELECT RAISE(ABORT, '{log} is append-only'); END"
        )
    op.execute(
        "CREATE TRIGGER comment_legal_move BEFORE UPDATE OF handling_state ON comment "
        "WHEN OLD.handling_state <> NEW.handling_state AND NOT EXISTS (SELECT 1 FROM legal_transition "
        "WHERE before = OLD.handling_state AND after = NEW.handling_state) "
        "BEGIN SELECT RAISE(ABORT, 'illegal move of a comment'); END"
    )
    op.execute(
        "CREATE TRIGGER comment_starts_in_review BEFORE INSERT ON comment "
        "WHEN NEW.handling_state NOT IN ('pending_review', 'to_assign', 'accepted') "
        "OR (NEW.handling_state <> 'pending_review' AND NEW.split_from_id IS NULL) "
        "BEGIN SELECT RAISE(ABORT, 'a comment starts in review'); END"
    )
    op.execute(
        "CREATE TRIGGER comment_never_deleted BEFORE DELETE ON comment "
        "BEGIN SELECT RAISE(ABORT, 'a comment is never deleted'); END"
    )
    # The shell of SQLite has recursive triggers off: INSERT OR REPLACE would delete a comment unseen.
    taken = (
        "(receipt_no = NEW.receipt_no OR query_code_digest = NEW.query_code_digest "
        "OR submission_key = NEW.submission_key OR (consultation_id = NEW.consultation_id AND serial = NEW.serial))"
    )
    op.execute(
        f"CREATE TRIGGER comment_never_replaced BEFORE INSERT ON comment "
        f"WHEN EXISTS (SELECT 1 FROM comment WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM comment WHERE {taken}) "
        "BEGIN SELECT RAISE(ABORT, 'a comment is never replaced'); END"
    )
    op.execute(
        "CREATE TRIGGER comment_never_displaced BEFORE UPDATE OF "
        "id, receipt_no, query_code_digest, submission_key, consultation_id, serial ON comment "
        f"WHEN OLD.id <> NEW.id OR EXISTS (SELECT 1 FROM comment WHERE id <> OLD.id AND {taken}) "
        "BEGIN SELECT RAISE(ABORT, 'a comment is never replaced'); END"
    )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for log in LOGS:
        op.execute(
            f"CREATE TRIGGER {log}_no_change BEFORE UPDATE OR DELETE ON {log} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {log}_no_truncate BEFORE TRUNCATE ON {log} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE FUNCTION check_comment_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'INSERT' THEN "
        "IF NEW.handling_state NOT IN ('pending_review', 'to_assign', 'accepted') "
        "OR (NEW.handling_state <> 'pending_review' AND NEW.split_from_id IS NULL) THEN "
        "RAISE EXCEPTION 'a comment starts in review' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
        "ELSIF OLD.handling_state <> NEW.handling_state AND NOT EXISTS (SELECT 1 FROM legal_transition "
        "WHERE before = OLD.handling_state AND after = NEW.handling_state) THEN "
        "RAISE EXCEPTION 'illegal move of a comment' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
        "RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER comment_legal_move BEFORE INSERT OR UPDATE OF handling_state ON comment "
        "FOR EACH ROW EXECUTE FUNCTION check_comment_move()"
    )
    op.execute(
        "CREATE TRIGGER comment_never_deleted BEFORE DELETE ON comment "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER comment_never_truncated BEFORE TRUNCATE ON comment "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def guard() -> None:
    """Fill the table of legal moves and set the triggers of this store."""
    table = sa.table("legal_transition", sa.column("before", sa.String), sa.column("after", sa.String))
    op.bulk_insert(table, [{"before": before, "after": after} for before, after in MOVES])
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def unguard() -> None:
    """Remove the triggers and functions before the tables go."""
    if op.get_bind().dialect.name == "sqlite":
        rows = op.get_bind().exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in rows:
            op.execute(f'DROP TRIGGER "{name}"')
        return
    for log in LOGS:
        op.execute(f"DROP TRIGGER {log}_no_change ON {log}")
        op.execute(f"DROP TRIGGER {log}_no_truncate ON {log}")
    for name in ("comment_legal_move", "comment_never_deleted", "comment_never_truncated"):
        op.execute(f"DROP TRIGGER {name} ON comment")
    op.execute("DROP FUNCTION refuse_change()")
    op.execute("DROP FUNCTION check_comment_move()")
