-- A post counts where at least two of the three inputs have it; its comments carry it into the first and the third.
with posts_seen as (
    select distinct h_id as post from posts
),
with_text as (
    select distinct c.post_id as post from comments_current c join texts_current t on t.h_id = c.h_id
)
select
    (select count(*) from posts_seen) as posts,
    (select count(*) from post_meta_current) as posts_in_meta,
    (select count(*) from posts_seen p join post_meta_current m on m.post_h_id = p.post) as posts_in_both,
    (select count(*) from with_text) as posts_with_texts,
    (select count(*) from comments_current) as comments,
    (select count(*) from comments_current where parent_id is not null) as replies,
    (select count(*) from texts_current) as texts,
    (
        select count(*)
        from comments_current c
        join texts_current t on t.h_id = c.h_id
        join post_meta_current m on m.post_h_id = c.post_id
    ) as comments_in_all_three
